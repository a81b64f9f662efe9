import assert from "node:assert/strict";
import { PERMISSIONS } from "../support/ciso.ts";

const parents = import.meta.resolve("../../lib/export/parents.ts");

/** Adds a new directory in whose place is a symlink by then. */
const ADD = `
import fs from "node:fs";
import { Parents } from ${JSON.stringify(parents)};
const root = Deno.args[0];
fs.mkdirSync(root + "/d");
fs.mkdirSync(root + "/outside");
const known = new Parents(new TextEncoder().encode(root));
fs.renameSync(root + "/d", root + "/e");
fs.symlinkSync(root + "/outside", root + "/d");
known.add(new TextEncoder().encode("d"), root + "/d");
`;

// Deno ignores O_NOFOLLOW unless it may do all.
for (const permissions of [PERMISSIONS, ["--allow-all"]]) {
  Deno.test(`Parents takes no symlink with ${permissions[0]}`, async () => {
    const root = await Deno.makeTempDir({ prefix: "isoc-parents-test-" });
    const script = `${root}/add.ts`;
    await Deno.writeTextFile(script, ADD);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-config", ...permissions, script, root],
    }).output();
    assert.equal(success, false);
    assert.match(
      new TextDecoder().decode(stderr),
      /another program changes the directory|ENOTDIR/,
    );
    await Deno.remove(root, { recursive: true });
  });
}
