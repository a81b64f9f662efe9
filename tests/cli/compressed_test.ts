// Compressed input, from a file and through a pipe, under all runtimes: what
// comes out is the tar that was compressed; what is damaged, too large, or needs
// a program that is not there is refused, and no file is left.

import assert from "node:assert/strict";
import { ciso, type Result, shell } from "../support/ciso.ts";
import { isInstalled, run } from "../support/run.ts";
import {
  allRuntimes,
  assertNothingMissing,
  lacking,
  type Runtime,
  unlessMissing,
} from "../support/runtimes.ts";

const COMPRESSIONS = ["gzip", "zstd", "xz", "bzip2"] as const;
type Compression = typeof COMPRESSIONS[number];
const IMAGE = ["-t", "isoc/hello", "--created=0"];
const COMMAND = ["--", "/bin/sh"];

const work = await Deno.makeTempDir({ prefix: "isoc-compressed-test-" });
/** Where a compressed input is kept while it is read; empty before and after. */
const TMPDIR = `${work}/tmp`;
const rootfs = `${work}/rootfs.tar`;
/** Deno with the right to run the programs that decompress. */
const ALLOWED = "--allow-run=zstd,xz,bzip2";
const RUNTIMES = await allRuntimes(ALLOWED);

await prepare();

Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

/** Makes a rootfs that is larger than what is read and written at once. */
async function prepare() {
  const tree = `${work}/tree`;
  await Deno.mkdir(`${tree}/bin`, { recursive: true });
  await Deno.mkdir(TMPDIR);
  await Deno.copyFile("/bin/sh", `${tree}/bin/sh`);
  await Deno.writeFile(
    `${tree}/random`,
    new Uint8Array(await new Blob([noise()]).arrayBuffer()),
  );
  await Deno.writeFile(`${tree}/zeros`, new Uint8Array(2 << 20));
  await run("tar", ["--sort=name", "-C", tree, "-cf", rootfs, "."]);
  for (const compression of COMPRESSIONS.filter(isInstalled)) {
    await run("sh", [
      "-c",
      '"$0" -c <"$1" >"$1.$0"',
      compression,
      rootfs,
    ]);
  }
}

/** A megabyte that no compression makes smaller. */
function noise(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1 << 20);
  for (let i = 0; i < bytes.length; i += 1 << 16) {
    crypto.getRandomValues(bytes.subarray(i, i + (1 << 16)));
  }
  return bytes;
}

async function sha256(path: string): Promise<string> {
  return (await run("sha256sum", [path])).slice(0, 64);
}

/** Asserts success and an empty standard error. */
function assertQuiet({ code, stderr }: Result) {
  assert.equal(stderr, "");
  assert.equal(code, 0);
}

/** Asserts one line of error, exit code 1, and that nothing is left. */
function assertRefused(result: Result, line: RegExp, output: string) {
  // Deno says this by itself of programs that it is allowed to run.
  const stderr = result.stderr.replace(/^Info Failed to resolve .*\n/gm, "");
  assert.match(stderr, line);
  assert.match(stderr, /^ciso: [^\n]*\n$/);
  assert.equal(result.stdout, "");
  assert.equal(result.code, 1);
  assert.throws(() => Deno.statSync(output), Deno.errors.NotFound);
  const name = output.slice(output.lastIndexOf("/") + 1);
  const left = [...Deno.readDirSync(work)].map(({ name }) => name);
  assert.deepEqual(left.filter((file) => file.includes(name)), []);
  assert.deepEqual([...Deno.readDirSync(TMPDIR)], []);
}

/** A compressed copy of a rootfs, with something done to it. */
async function copyOf(
  compression: Compression,
  change: (bytes: Uint8Array) => Uint8Array,
): Promise<string> {
  const path = `${work}/changed.${compression}`;
  const bytes = await Deno.readFile(`${rootfs}.${compression}`);
  await Deno.writeFile(path, change(bytes));
  return path;
}

const expected = await sha256(rootfs);
const plain = `${work}/plain.isoc`;
assertQuiet(await ciso([rootfs, ...IMAGE, "-o", plain, ...COMMAND]));

/** A test of a compression under a runtime. */
function test(
  name: string,
  runtime: Runtime,
  compression: Compression,
  fn: () => Promise<void>,
): void {
  const needed = [runtime, lacking(compression)];
  Deno.test({
    ...unlessMissing(`${name}, under ${runtime.name}`, ...needed),
    async fn() {
      assertNothingMissing(...needed);
      await fn();
    },
  });
}

for (const runtime of RUNTIMES) {
  const { command } = runtime;
  for (const compression of COMPRESSIONS) {
    const input = `${rootfs}.${compression}`;

    test(
      `ciso takes a tar with ${compression}`,
      runtime,
      compression,
      async () => {
        const output = `${work}/out.isoc`;
        const env = { TMPDIR };
        const options = { command, env };
        const args = [...IMAGE, "-o", output];
        assertQuiet(await ciso([input, ...args, ...COMMAND], options));
        // The archive is the one that the plain tar makes.
        assert.equal(await run("cmp", [plain, output]), "");
        await Deno.remove(output);
        assertQuiet(
          await shell(
            'cat "$IN" | "$@"',
            [...args, ...COMMAND],
            { command, env: { ...env, IN: input } },
          ),
        );
        assert.equal(await run("cmp", [plain, output]), "");
        await Deno.remove(output);
        assert.deepEqual([...Deno.readDirSync(TMPDIR)], []);
      },
    );

    test(
      `ciso takes ${compression} in several parts`,
      runtime,
      compression,
      async () => {
        const output = `${work}/parts.isoc`;
        const parts = `${work}/parts.${compression}`;
        await run("bash", [
          "-c",
          `{ head -c 700000 "$1" | "$0" -c; tail -c +700001 "$1" | "$0" -c; } >"$2"`,
          compression,
          rootfs,
          parts,
        ]);
        assertQuiet(
          await ciso([parts, ...IMAGE, "-o", output, ...COMMAND], { command }),
        );
        assert.equal(await run("cmp", [plain, output]), "");
        await Deno.remove(output);
      },
    );

    test(
      `ciso refuses damaged and cut ${compression}`,
      runtime,
      compression,
      async () => {
        const output = `${work}/bad.isoc`;
        const damaged = `the ${compression} data are damaged or cut short; ` +
          "make or fetch it again";
        const refuse = async (
          change: (bytes: Uint8Array) => Uint8Array,
          message = damaged,
        ) => {
          const path = await copyOf(compression, change);
          assertRefused(
            await ciso([path, ...IMAGE, "-o", output, ...COMMAND], {
              command,
              env: { TMPDIR },
            }),
            new RegExp(`changed\\.${compression}: ${message}\n$`),
            output,
          );
        };
        // Of zstd it is mostly known which.
        const cut = compression === "zstd"
          ? "the zstd data are (damaged or )?cut short; make or fetch it again"
          : damaged;
        // Within the first bytes, in the middle, and a few bytes too short.
        await refuse((bytes) => bytes.subarray(0, 40), cut);
        await refuse((bytes) => bytes.subarray(0, bytes.length >> 1), cut);
        await refuse((bytes) => bytes.subarray(0, bytes.length - 5), cut);
        await refuse((bytes) => {
          bytes.fill(0x55, bytes.length >> 1, (bytes.length >> 1) + 64);
          return bytes;
          // What comes out before the damage is found may be no tar either.
        }, `(${damaged}|.*not a tar archive: .*|.*checksum.*)`);
      },
    );

    test(
      `ciso --max-unpacked stops a bomb of ${compression}`,
      runtime,
      compression,
      async () => {
        const output = `${work}/bomb.isoc`;
        const bomb = `${work}/bomb.${compression}`;
        await run("sh", [
          "-c",
          'head -c 64M /dev/zero | "$0" -c >"$1"',
          compression,
          bomb,
        ]);
        const args = [bomb, ...IMAGE, "-o", output];
        assertRefused(
          await ciso([...args, "--max-unpacked=8M", ...COMMAND], {
            command,
            env: { TMPDIR },
          }),
          /bomb\.\w+ holds more than 8388608 bytes when it is decompressed; if that is right, raise the limit with --max-unpacked$/m,
          output,
        );
        await Deno.remove(bomb);
      },
    );
  }
}

for (const compression of ["zstd", "xz", "bzip2"] as const) {
  for (const runtime of RUNTIMES) {
    // All others have it built in.
    if (compression === "zstd" && runtime.name !== "oldest node") continue;
    test(
      `ciso names the program for ${compression} that is missing`,
      runtime,
      compression,
      async () => {
        const output = `${work}/none.isoc`;
        const input = `${rootfs}.${compression}`;
        const result = await shell(
          'PATH=/nowhere exec "$@"',
          [input, ...IMAGE, "-o", output, ...COMMAND],
          { command: runtime.command, env: { TMPDIR } },
        );
        assertRefused(
          result,
          new RegExp(
            `is compressed with ${compression}, which needs the program ${compression}: install it`,
          ),
          output,
        );
      },
    );
  }

  // Deno has zstd built in.
  if (compression === "zstd") continue;
  Deno.test({
    ...unlessMissing(
      `ciso names the permission for ${compression} that Deno lacks`,
      lacking(compression),
    ),
    async fn() {
      assertNothingMissing(lacking(compression));
      const output = `${work}/denied.isoc`;
      assertRefused(
        await ciso(
          [`${rootfs}.${compression}`, ...IMAGE, "-o", output, ...COMMAND],
          { env: { TMPDIR } },
        ),
        new RegExp(
          `needs the program ${compression}: install it, and under deno run allow it with --allow-run=${compression}, or decompress the file first`,
        ),
        output,
      );
    },
  });
}

Deno.test("ciso -v and --json say that the layer was decompressed", async () => {
  const output = `${work}/said.isoc`;
  const args = [...IMAGE, "-o", output, "-v", "--json", ...COMMAND];
  const { code, stdout, stderr } = await ciso([`${rootfs}.gzip`, ...args]);
  assert.equal(code, 0);
  assert.match(
    stderr,
    /^ciso: the layer is the input, decompressed \(gzip\)$/m,
  );
  assert.deepEqual(JSON.parse(stdout).layers, [{
    digest: `sha256:${expected}`,
    size: (await Deno.stat(rootfs)).size,
    changes: ["decompressed"],
  }]);
  const untouched = await ciso([rootfs, ...args]);
  assert.doesNotMatch(untouched.stderr, /decompressed/);
  assert.deepEqual(JSON.parse(untouched.stdout).layers[0].changes, []);
});

Deno.test("ciso refuses a --max-unpacked that is no size", async () => {
  const { code, stderr } = await ciso(
    [rootfs, ...IMAGE, "--max-unpacked=lots", "-o", `${work}/x`, ...COMMAND],
  );
  assert.match(stderr, /^ciso: --max-unpacked: "lots" is no size such as 500M/);
  assert.equal(code, 2);
});

Deno.test("ciso takes a tar whose first name begins as bzip2 does", async () => {
  const tar = `${work}/name.tar`;
  const output = `${work}/name.isoc`;
  const args = ["-C", `${work}/tree`, "--transform=s/^zeros/BZhello/"];
  await run("tar", [...args, "-cf", tar, "zeros", "bin"]);
  assertQuiet(await ciso([tar, ...IMAGE, "-o", output, ...COMMAND]));
});

Deno.test("ciso names what is compressed and no tar", async () => {
  const output = `${work}/text.isoc`;
  const text = `${work}/text`;
  await Deno.writeTextFile(text, "no tar\n".repeat(1000));
  await run("gzip", ["-kf", text]);
  assertRefused(
    await ciso([`${text}.gz`, ...IMAGE, "-o", output, ...COMMAND]),
    /text\.gz: The input is not a tar archive/,
    output,
  );
});
