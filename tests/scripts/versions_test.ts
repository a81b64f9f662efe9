import assert from "node:assert/strict";
import { ROOT } from "../support/ciso.ts";
import { run } from "../support/run.ts";

/** The lines of scripts/versions: name, npm package, version. */
const versions = (await Deno.readTextFile(`${ROOT}/scripts/versions`))
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => line.split(" ") as [string, string, string]);

/** Files that users and machines read commands from. */
async function files(): Promise<string[]> {
  const listed = await run("git", ["-C", ROOT, "ls-files"]);
  return listed.trim().split("\n").filter((file) =>
    !/^(CHANGELOG\.md|deno\.lock|package-lock\.json)$/.test(file)
  );
}

Deno.test("every version that a file names is one of scripts/versions", async () => {
  const known = versions.map(([, program, version]) => `${program}@${version}`);
  let found = 0;
  for (const file of await files()) {
    const path = `${ROOT}/${file}`;
    if (!await Deno.stat(path).then((s) => s.isFile, () => false)) continue;
    const text = await Deno.readTextFile(path);
    for (const [name] of text.matchAll(/\b(?:deno|bun|node)@\d[\d.]*\d/g)) {
      assert.ok(known.includes(name), `${file} names ${name}`);
      found++;
    }
  }
  assert.ok(found > 0, "README names no version at all");
});

for (const [name, program, version] of versions) {
  Deno.test(`scripts/runtime finds ${name}`, async () => {
    const path = (await run(`${ROOT}/scripts/runtime`, [name])).trim();
    const printed = await run(path, ["--version"]);
    const [number] = /\d+(\.\d+)+/.exec(printed)!;
    assert.ok(`${number}.`.startsWith(`${version}.`), `${program}: ${printed}`);
  });
}
