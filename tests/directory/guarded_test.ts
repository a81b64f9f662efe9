// Who may rename files of a tree, with real directories.

import assert from "node:assert/strict";
import { Guard } from "../../lib/directory/guarded.ts";
import { walk } from "../../lib/directory/walk.ts";
import { temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";

/** Only root can give files away. */
const ignore = Deno.build.os !== "linux" || Deno.uid() !== 0;

Deno.test({
  name: "walk() marks files that only this user and root can replace",
  ignore,
  async fn() {
    await using folder = await temporary();
    const root = `${folder.path}/tree`;
    await run("sh", [
      "-ec",
      `mkdir -m 755 "$0"; cd "$0"; mkdir -m 755 all group owner own sticky
      mkdir -m 755 all/below; chmod 777 all; chmod 775 group; chmod 1777 sticky
      for place in . *; do touch "$place/x"; done; touch all/below/x
      chown 1000 owner`,
      root,
    ]);
    const { list } = await walk(root);
    const guarded = [];
    for (let slot = 0; slot < list.length; slot++) {
      if (list.kind(slot) !== "file") continue;
      const path = new TextDecoder().decode(list.path(slot));
      guarded.push(`${path} ${list.isGuarded(slot)}`);
    }
    assert.deepEqual(guarded, [
      ...["all/below/x false", "all/x false", "group/x false", "own/x true"],
      ...["owner/x false", "sticky/x false", "x true"],
    ]);
  },
});

Deno.test({
  name: "Guard.of() looks at all directories above a tree",
  ignore,
  async fn() {
    await using folder = await temporary();
    const root = `${folder.path}/a/b/tree`;
    await Deno.mkdir(root, { recursive: true });
    await Deno.symlink(root, `${folder.path}/link`);
    assert.ok(Guard.of(root));
    assert.ok(Guard.of(`${folder.path}/link`));
    // Others can make files beside b, but not rename b.
    await Deno.chmod(`${folder.path}/a`, 0o1777);
    assert.ok(Guard.of(root));
    await Deno.chmod(`${folder.path}/a`, 0o777);
    assert.equal(Guard.of(root), undefined);
    assert.equal(Guard.of(`${folder.path}/link`), undefined);
    await Deno.chmod(`${folder.path}/a`, 0o755);
    await Deno.chown(`${folder.path}/a`, 1000, 1000);
    assert.equal(Guard.of(root), undefined);
    assert.equal(Guard.of(`${root}/none`), undefined);
    // To find out who this user is makes a file in the tree.
    assert.equal(Guard.of("/"), undefined);
  },
});
