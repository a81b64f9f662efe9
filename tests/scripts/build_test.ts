// scripts/build makes the same bytes again, and says what it did not make.

import assert from "node:assert/strict";
import { ROOT, temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import { tarOf } from "../support/tar_writer.ts";
import {
  assertNothingMissing,
  built,
  lacking,
  notMade,
  unlessMissing,
} from "../support/runtimes.ts";

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
    // A line names what cannot be made here; SHA256SUMS does not.
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

Deno.test("the bundle is ASCII and imports nothing when it starts", async () => {
  const { directory } = await built();
  const text = await Deno.readTextFile(`${directory}/ciso.js`);
  assert.doesNotMatch(text, /[^\0-\x7f]/);
  assert.doesNotMatch(text, /(^|[;}])import[ *{"]/m);
  const help = await run("node", [`${directory}/ciso.js`, "build", "--help"]);
  assert.match(help, /NAME= COMMAND= ✂ > image\.isoc/);
});

const emulator = lacking("qemu-aarch64-static");

Deno.test({
  ...unlessMissing("the program for aarch64 makes the same bytes", emulator),
  async fn() {
    assertNothingMissing(emulator);
    await using folder = await temporary();
    const target = "aarch64-unknown-linux-gnu";
    const at = (name: string) => `${folder.path}/${name}`;
    // Deno's own runtime for another machine comes from the network, Bun's from npm.
    await run(`${ROOT}/scripts/build`, [`--binaries=${target}`, folder.path]);
    await Deno.writeFile(at("a.tar"), tarOf([{ name: "bin/sh", data: "#!" }]));
    const args = [
      "-q",
      "-t",
      "a/b",
      "--platform",
      "linux/arm64",
      "--cmd=/bin/sh",
      "--created=0",
    ];
    const build = (output: string) => [...args, "-o", output, at("a.tar")];
    await run("node", [at("ciso.js"), ...build(at("node.isoc"))]);
    const loader = ["-L", "/usr/aarch64-linux-gnu"];
    const program = at(`ciso-bun-${target}`);
    await run("qemu-aarch64-static", [
      ...[...loader, program, ...build(at("arm.isoc"))],
    ]);
    await run("cmp", [at("node.isoc"), at("arm.isoc")]);
  },
});

Deno.test("scripts/build names the targets that there are", async () => {
  const { code, stderr } = await new Deno.Command(`${ROOT}/scripts/build`, {
    args: ["--binaries=sparc-sun-solaris"],
  }).output();
  assert.equal(code, 2);
  const said = new TextDecoder().decode(stderr);
  assert.match(
    said,
    /no target sparc-sun-solaris, but x86_64-unknown-linux-gnu/,
  );
});
