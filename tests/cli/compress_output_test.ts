// Compressed output, under all runtimes: what is in it is the archive that comes
// out without --compress, by option and by the file's ending; the second copy of
// the files costs nearly nothing; wrong words are refused, and no file is left.

import assert from "node:assert/strict";
import { ciso, shell } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import {
  allRuntimes,
  assertNothingMissing,
  lacking,
  unlessMissing,
} from "../support/runtimes.ts";

const METHODS = [["gzip", "gz"], ["zstd", "zst"], ["xz", "xz"]] as const;
const IMAGE = ["-t", "isoc/hello", "--created=0"];
const COMMAND = ["--", "/bin/sh"];
const ALLOWED = "--allow-run=zstd,xz";

const work = await Deno.makeTempDir({ prefix: "isoc-compress-test-" });
const rootfs = `${work}/rootfs.tar`;
const plain = `${work}/plain.isoc`;
const RUNTIMES = await allRuntimes(ALLOWED);

Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

await Deno.mkdir(`${work}/tree/bin`, { recursive: true });
await Deno.copyFile("/bin/sh", `${work}/tree/bin/sh`);
const noise = new Uint8Array(5 << 18);
for (let i = 0; i < noise.length; i += 1 << 16) {
  crypto.getRandomValues(noise.subarray(i, i + (1 << 16)));
}
await Deno.writeFile(`${work}/tree/noise`, noise);
await run("tar", ["--sort=name", "-C", `${work}/tree`, "-cf", rootfs, "."]);
const made = await ciso([rootfs, ...IMAGE, "-o", plain, ...COMMAND]);
assert.equal(made.stderr, "");

const sizeOf = async (path: string) => (await Deno.stat(path)).size;

/** Asserts that a file holds the plain archive. */
async function assertHolds(path: string, method: string): Promise<void> {
  const script = '"$0" -dc <"$1" | cmp - "$2"';
  assert.equal(await run("sh", ["-c", script, method, path, plain]), "");
}

for (const runtime of RUNTIMES) {
  const { command } = runtime;
  for (const [method, ending] of METHODS) {
    const needed = [runtime, lacking(method)];
    Deno.test({
      ...unlessMissing(
        `ciso writes an archive with ${method}, under ${runtime.name}`,
        ...needed,
      ),
      async fn() {
        assertNothingMissing(...needed);
        const byEnding = `${work}/out.isoc.${ending}`;
        const args = [rootfs, ...IMAGE, "-o", byEnding, ...COMMAND];
        const first = await ciso(args, { command });
        assert.equal(first.stderr, "");
        await assertHolds(byEnding, method);
        // The file has no name inside, and no time.
        const piped = `${work}/piped`;
        const second = await shell(
          '"$@" >"$OUT"',
          [rootfs, ...IMAGE, `--compress=${method}`, ...COMMAND],
          { command, env: { OUT: piped } },
        );
        assert.equal(second.stderr, "");
        assert.equal(await run("cmp", [byEnding, piped]), "");
        if (method !== "gzip") {
          // 1.25 MiB of noise are there once.
          assert.ok(await sizeOf(byEnding) < noise.length * 1.1);
        }
        // ciso reads what it wrote.
        const verified = await ciso(["verify", byEnding], { command });
        assert.match(verified.stdout, /no findings/);
        const exported = `${work}/face.${ending}`;
        const face = ["export", byEnding, "--as", "rootfs", "-o", exported];
        assert.equal((await ciso(face, { command })).stderr, "");
        const script = '"$0" -dc <"$1" | cmp - "$2"';
        await run("sh", ["-c", script, method, exported, rootfs]);
        for (const file of [byEnding, piped, exported]) await Deno.remove(file);
      },
    });
  }
}

const SAME = RUNTIMES.filter(({ name }) => name !== "oldest node");

Deno.test({
  ...unlessMissing("zstd gives the same bytes under all runtimes", ...SAME),
  async fn() {
    assertNothingMissing(...SAME);
    const sums = new Set<string>();
    for (const { command } of SAME) {
      const output = `${work}/same.zst`;
      const args = [rootfs, ...IMAGE, "-o", output, ...COMMAND];
      assert.equal((await ciso(args, { command })).code, 0);
      sums.add((await run("sha256sum", [output])).slice(0, 64));
    }
    assert.equal(sums.size, 1);
  },
});

Deno.test("--compress none wins over the file's ending", async () => {
  const output = `${work}/plain.gz`;
  const args = ["--compress=none", "-o", output, ...COMMAND];
  assert.equal((await ciso([rootfs, ...IMAGE, ...args])).stderr, "");
  assert.equal(await run("cmp", [output, plain]), "");
});

Deno.test("endings that ciso does not write are refused", async () => {
  const output = `${work}/plain.tar.bz2`;
  const { code, stderr } = await ciso([
    rootfs,
    ...IMAGE,
    ...["-o", output, ...COMMAND],
  ]);
  assert.equal(code, 2);
  assert.match(stderr, /does not write \.bz2: .* \.gz, \.zst or \.xz/);
  await assert.rejects(Deno.stat(output));
});

Deno.test("--json says how the file is compressed", async () => {
  const output = `${work}/said.isoc.gz`;
  const args = ["--compress=gzip:9", "--json", "-o", output, ...COMMAND];
  const { stdout } = await ciso([rootfs, ...IMAGE, ...args]);
  const { size, compressed } = JSON.parse(stdout);
  assert.equal(size, await sizeOf(plain));
  assert.deepEqual(compressed, {
    method: "gzip",
    level: 9,
    size: await sizeOf(output),
  });
});

Deno.test("--window limits how far back zstd looks", async () => {
  const output = `${work}/near.zst`;
  const args = ["--window=1M", "-o", output, ...COMMAND];
  assert.equal((await ciso([rootfs, ...IMAGE, ...args])).stderr, "");
  // The second copy of a file longer than the window is too far away.
  assert.ok(await sizeOf(output) > noise.length * 1.9);
});

Deno.test("a layer comes amid its files where the window is shorter", async () => {
  const folder = `${work}/turns`;
  await Deno.mkdir(`${folder}/bin`, { recursive: true });
  await Deno.copyFile("/bin/sh", `${folder}/bin/sh`);
  const part = noise.length / 10;
  for (let i = 0; i < 10; i++) {
    const piece = noise.subarray(i * part, (i + 1) * part);
    await Deno.writeFile(`${folder}/${i}`, piece);
  }
  await Deno.link(`${folder}/0`, `${folder}/link`);
  const [input, output, usual, again] = ["in", "zst", "usual", "again"]
    .map((name) => `${work}/turns.${name}`) as [string, string, string, string];
  await run("tar", ["--sort=name", "-C", folder, "-cf", input, "."]);
  const window = ["--window=1M", "--compress=zstd"];
  const args = [input, ...IMAGE];
  const said = await ciso([...args, ...window, "-o", output, ...COMMAND]);
  assert.equal(said.stderr, "");
  assert.ok(await sizeOf(output) < noise.length * 1.2);
  const list = await run("sh", ["-c", 'zstd -dc <"$0" | tar -t', output]);
  const names = list.split("\n").filter((name) =>
    /^rootfs.(\d|link)|^blobs.*6.[^/]/.test(name)
  );
  // The image config and the image manifest are before them.
  const at = names.findLastIndex((name) => name.startsWith("blobs"));
  assert.ok(at > 5 && at < 10, `the layer is number ${at} of ${names}`);
  // Only the order is another one.
  assert.equal((await ciso([...args, "-o", usual, ...COMMAND])).stderr, "");
  const { stdout } = await ciso(["verify", output]);
  assert.match(stdout, /no findings/);
  assert.equal((await ciso(["convert", output, "-o", again])).stderr, "");
  assert.equal(await run("cmp", [again, usual]), "");
});

Deno.test("ciso says where the second copy of the files takes room", async () => {
  const large = `${work}/large.tar`;
  const zeros = `${work}/zeros`;
  await Deno.mkdir(zeros);
  await Deno.mkdir(`${zeros}/bin`);
  await Deno.copyFile("/bin/sh", `${zeros}/bin/sh`);
  await run("truncate", ["-s", "20M", `${zeros}/bin/sh`]);
  await run("tar", ["-C", zeros, "-cf", large, "."]);
  const said = async (...words: string[]) => {
    const args = [large, ...IMAGE, ...words, "-o", `${work}/large`];
    return (await ciso([...args, ...COMMAND])).stderr;
  };
  assert.match(
    await said("--compress=gzip"),
    /gzip does not see .* --window 16M; .* --layer-size 240M /,
  );
  const near = ["--compress=zstd", "--window=8M"];
  assert.match(await said(...near), /too far apart for a window of 8M: --for/);
  assert.equal(await said("--compress=zstd"), "");
  assert.equal(await said("--compress=gzip", "-q"), "");
  assert.equal(await said("--compress=gzip", "--faces=docker,oci"), "");
});

for (
  const [words, message] of [
    [
      ["--compress=lzma"],
      /^ciso: --compress: "lzma" is not one of gzip, zstd, xz, none$/m,
    ],
    [["--compress=gzip:0"], /the levels of gzip are 1 to 9, not "0"$/m],
    [["--compress=zstd:20"], /the levels of zstd are 1 to 19, not "20"$/m],
    [["--compress=zstd:"], /the levels of zstd are 1 to 19, not ""$/m],
    [["--compress=none:3"], /"none:3" is not one of/],
    [["--window=64M"], /--window goes with --compress zstd or xz$/m],
    [["--window=64M", "--compress=gzip"], /gzip has a window of 32 KiB$/m],
    [["--window=4G", "--compress=zstd"], /zstd takes 1M to 2048M, not "4G"$/m],
    [["--window=x", "--compress=xz"], /--window: "x" is no size/],
  ] as const
) {
  Deno.test(`ciso refuses ${words.join(" ")}`, async () => {
    const output = `${work}/refused.isoc`;
    const args = [...words, "-o", output, ...COMMAND];
    const { code, stderr } = await ciso([rootfs, ...IMAGE, ...args]);
    assert.match(stderr, message);
    assert.equal(code, 2);
    await assert.rejects(Deno.stat(output), Deno.errors.NotFound);
  });
}

Deno.test("ciso export refuses to compress a directory", async () => {
  const args = ["export", plain, "--as=bundle", "-o", `${work}/dir/`];
  const { code, stderr } = await ciso([...args, "--compress=gzip"]);
  assert.match(stderr, /--compress is for a file, not for a directory$/m);
  assert.equal(code, 2);
});

Deno.test("ciso names the program for xz that is missing", async () => {
  const output = `${work}/none.xz`;
  const { code, stderr } = await ciso([
    rootfs,
    ...IMAGE,
    "-o",
    output,
    ...COMMAND,
  ]);
  assert.match(
    stderr,
    /is to be compressed with xz, which needs the program xz: install it, and under deno run allow it with --allow-run=xz, or compress with gzip$/m,
  );
  assert.equal(code, 1);
  assert.deepEqual(
    [...Deno.readDirSync(work)].filter(({ name }) => name.includes("none")),
    [],
  );
});
