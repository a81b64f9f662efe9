// scripts/build makes the same bytes again, and says what it did not make.

import assert from "node:assert/strict";
import { ROOT, temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import { built, notMade } from "../support/runtimes.ts";

Deno.test("scripts/build makes the same programs again, in another directory", async () => {
  const files = await built();
  await using folder = await temporary();
  const again = `${folder.path}/again`;
  const { stdout, stderr } = await new Deno.Command(`${ROOT}/scripts/build`, {
    args: ["--binaries=host", again],
  }).output();
  const text = new TextDecoder();
  const said = text.decode(stdout) + text.decode(stderr);
  const target = Deno.build.target;
  for (
    const name of ["ciso.js", `ciso-deno-${target}`, `ciso-bun-${target}`]
  ) {
    // What cannot be made here is told, and not in SHA256SUMS.
    const reason = notMade({ directory: again, said }, name);
    const sums = await Deno.readTextFile(`${again}/SHA256SUMS`);
    assert.equal(sums.includes(`  ${name}\n`), reason === undefined, said);
    if (reason !== undefined) {
      assert.match(reason, /^not made: \S+: ./);
      continue;
    }
    assert.match(said, new RegExp(`^made .*${name}, \\d+ bytes$`, "m"));
    if (notMade(files, name) !== undefined) continue;
    await run("cmp", [`${files.directory}/${name}`, `${again}/${name}`]);
  }
});

Deno.test("the bundle names the commit that it was built of", async () => {
  const { directory } = await built();
  const printed = await run("node", [
    `${directory}/ciso.js`,
    "--version",
    "--verbose",
  ]);
  const commit = (await run("git", ["-C", ROOT, "rev-parse", "HEAD"])).trim();
  const line = printed.split("\n")[1]!;
  assert.equal(line.replace(/-dirty$/, ""), `commit: ${commit}`);
});
