// --layer-size: the same layers of a file, a pipe and under all runtimes; a small
// window takes out the second copy of all files; what cannot go with it is refused.

import assert from "node:assert/strict";
import { ciso, shell } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import {
  assertNothingMissing,
  bundleRuntimes,
  unlessMissing,
} from "../support/runtimes.ts";

const IMAGE = ["-t", "isoc/hello", "--created=0"];
const COMMAND = ["--", "/bin/sh"];
const PART = 100_000;

const work = await Deno.makeTempDir({ prefix: "isoc-layer-size-test-" });
const rootfs = `${work}/rootfs.tar`;
const split = `${work}/split.isoc`;
const RUNTIMES = await bundleRuntimes(["--allow-run=zstd"]);

Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

await Deno.mkdir(`${work}/tree/bin`, { recursive: true });
await Deno.copyFile("/bin/sh", `${work}/tree/bin/sh`);
for (let i = 0; i < 36; i++) {
  const noise = new Uint8Array(PART);
  for (let at = 0; at < PART; at += 1 << 16) {
    crypto.getRandomValues(noise.subarray(at, at + (1 << 16)));
  }
  await Deno.writeFile(`${work}/tree/${i}`, noise);
}
await run("tar", ["--sort=name", "-C", `${work}/tree`, "-cf", rootfs, "."]);

/** Builds with layers of 1.5 MiB at most. */
async function built(...words: string[]): Promise<string> {
  const args = [rootfs, ...IMAGE, "--layer-size=1.5M", ...words];
  const { stdout, stderr, code } = await ciso([...args, ...COMMAND]);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  return stdout;
}

const { layers } = JSON.parse(await built("--json", "-o", split));

Deno.test("--layer-size splits the rootfs", async () => {
  assert.equal(layers.length, 3);
  for (const { size, changes } of layers) {
    assert.ok(size <= 3 << 19);
    assert.deepEqual(changes, ["split"]);
  }
  const verified = await ciso(["verify", split]);
  assert.match(verified.stdout, /no findings/);
  // No face has other files than the rootfs.
  const made = await ciso(["export", split, "--as=rootfs", "-o", `${work}/r`]);
  assert.equal(made.stderr, "");
  const list = 'tar -tf "$0" | sed "s,^[.]/,,;s,^rootfs/,," | grep . | sort';
  const [all, again] = await Promise.all(
    [rootfs, `${work}/r`].map((file) => run("sh", ["-c", list, file])),
  );
  assert.equal(again, all);
});

Deno.test("--layer-size and a small window leave no file twice", async () => {
  const output = `${work}/small.zst`;
  await built("--compress=zstd", "--window=1M", "-o", output);
  const { size } = await Deno.stat(output);
  assert.ok(size < 36 * PART * 1.1, `${size} bytes`);
});

Deno.test("-v says what was split", async () => {
  const args = [rootfs, ...IMAGE, "--layer-size=1.5M", "-v", "-o", "/dev/null"];
  const { stderr } = await ciso([...args, ...COMMAND]);
  assert.match(stderr, /it is one of the 3 that \S+rootfs.tar was split into/);
});

Deno.test("--layer-size leaves a rootfs that is smaller as it is", async () => {
  const [one, other] = [`${work}/one`, `${work}/other`];
  await ciso([rootfs, ...IMAGE, "-o", one, ...COMMAND]);
  const args = [rootfs, ...IMAGE, "--layer-size=64M", "-o", other];
  assert.equal((await ciso([...args, ...COMMAND])).stderr, "");
  assert.equal(await run("cmp", [one, other]), "");
  const piped = ["--layer-size=64M", "-o", other, ...COMMAND];
  const script = 'cat "$IN" | "$@"';
  const env = { IN: rootfs };
  await shell(script, ["-", ...IMAGE, ...piped], { env });
  assert.equal(await run("cmp", [one, other]), "");
});

for (const runtime of RUNTIMES) {
  Deno.test({
    ...unlessMissing(
      `--layer-size gives the same bytes under ${runtime.name}`,
      runtime,
    ),
    async fn() {
      assertNothingMissing(runtime);
      const output = `${work}/same`;
      const args = [...IMAGE, "--layer-size=1.5M", ...COMMAND];
      const { stderr } = await shell(
        'cat "$IN" | "$@" >"$OUT"',
        args,
        { ...runtime, env: { IN: rootfs, OUT: output } },
      );
      assert.equal(stderr, "");
      assert.equal(await run("cmp", [output, split]), "");
    },
  });
}

for (
  const [words, message] of [
    [[rootfs, "--layer-size=x"], /--layer-size: "x" is no size/],
    [[rootfs, "--layer-size=1000"], /takes 1M and more, not "1000"$/m],
    [["--layer", rootfs, "--layer-size=2M"], /splits a rootfs alone/],
    [["--from", split, "--layer-size=2M"], /splits a rootfs alone/],
    [
      [rootfs, "--allow-whiteouts", "--layer-size=2M"],
      /--layer-size and --allow-whiteouts exclude each other/,
    ],
    [
      [rootfs, "--layout=classic", "--layer-size=2M"],
      /--layer-size and --layout exclude each other/,
    ],
  ] as const
) {
  const what = words.filter((word) => !word.startsWith(work)).join(" ");
  Deno.test(`ciso refuses ${what}`, async () => {
    const output = `${work}/refused`;
    const args = [...words, ...IMAGE, "-o", output, ...COMMAND];
    const { code, stderr } = await ciso(args);
    assert.match(stderr, message);
    assert.equal(code, 2);
    await assert.rejects(Deno.stat(output), Deno.errors.NotFound);
  });
}

Deno.test("--layer-size names the file and the entry that are at fault", async () => {
  const bad = `${work}/bad.tar`;
  await Deno.writeTextFile(`${work}/tree/.wh.0`, "");
  await run("tar", ["-C", `${work}/tree`, "-cf", bad, "."]);
  await Deno.remove(`${work}/tree/.wh.0`);
  const args = [bad, ...IMAGE, "--layer-size=1M", "-o", `${work}/none`];
  const { code, stderr } = await ciso([...args, ...COMMAND]);
  assert.match(stderr, /^ciso: \S+bad\.tar: .*\.wh\.0/m);
  assert.equal(code, 1);
});
