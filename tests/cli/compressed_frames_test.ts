// Compressed files that are made of several parts, as pzstd, zstd:chunked, pigz,
// estargz, `cat a.gz b.gz` and tapes make them: of a rootfs and of the layers of
// an image, under every runtime. Nothing of them is lost, and what is cut short,
// damaged or followed by junk is refused. So is what needs much memory.

import assert from "node:assert/strict";
import { ciso, type Result } from "../support/ciso.ts";
import { isInstalled } from "../support/run.ts";
import {
  assertNothingMissing,
  bundleRuntimes,
  type Runtime,
  unlessMissing,
} from "../support/runtimes.ts";
import { tarOf } from "../support/tar_writer.ts";
import { concat, utf8 } from "../../lib/streams/bytes.ts";
import { sha256 } from "../../lib/streams/sha256.ts";

const work = await Deno.makeTempDir({ prefix: "isoc-frames-test-" });
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));
const TMPDIR = `${work}/tmp`;
await Deno.mkdir(TMPDIR);

const RUNTIMES: Runtime[] = await bundleRuntimes([
  "--allow-run=zstd,xz,bzip2",
]);
const TOOLS = ["gzip", "zstd", "xz", "bzip2"] as const;
type Tool = typeof TOOLS[number];
const lacking = TOOLS.filter((tool) => !isInstalled(tool))
  .map((tool) => ({ missing: `${tool} is not installed` }));

/** Each file fills its blocks, so that cuts can fall between entries. */
const rootfs = tarOf(
  ["a", "b", "c", "d"].map((name) => ({ name, data: name.repeat(40_000) })),
);
/** Where the second entry starts: 40,000 bytes are 79 blocks. */
const BETWEEN = 80 * 512;

async function compress(
  tool: Tool,
  bytes: Uint8Array,
  ...args: string[]
): Promise<Uint8Array> {
  const child = new Deno.Command(tool, {
    args: ["-c", ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = child.output();
  await new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
    .pipeTo(child.stdin);
  return (await output).stdout;
}

/** The rootfs in parts that end at these places, each compressed alone. */
async function parts(tool: Tool, ...ends: number[]): Promise<Uint8Array[]> {
  const starts = [0, ...ends];
  return await Promise.all(
    starts.map((start, i) =>
      compress(tool, rootfs.subarray(start, starts[i + 1]))
    ),
  );
}

function skippable(size: number, kind = 0): Uint8Array {
  const frame = new Uint8Array(8 + size).fill(0x28, 8);
  frame.set([0x50 + kind, 0x2a, 0x4d, 0x18, size & 0xff, size >> 8]);
  return frame;
}

/** The rootfs in many ways, all of which mean the same bytes. */
async function whole(): Promise<[name: string, bytes: Uint8Array][]> {
  const ways: [string, Uint8Array][] = [];
  for (const tool of TOOLS) {
    const two = await parts(tool, BETWEEN);
    const many = await parts(tool, 1536, BETWEEN, BETWEEN + 1, 100_000);
    const nothing = await compress(tool, new Uint8Array(0));
    ways.push([`${tool}: two`, concat(two)]);
    ways.push([`${tool}: many`, concat(many)]);
    ways.push([
      `${tool}: with empty ones`,
      concat([nothing, ...two, nothing, nothing]),
    ]);
  }
  const two = await parts("zstd", BETWEEN);
  ways.push(
    ["pzstd", concat([skippable(4), two[0]!, skippable(4), two[1]!])],
    ["zstd: skippable last", concat([...two, skippable(300, 15)])],
    ["zstd: large skippable", concat([skippable(60_000, 9), ...two])],
    ["zstd: no checksums", await compress("zstd", rootfs, "--no-check")],
    [
      "gzip: padded",
      concat([...await parts("gzip", BETWEEN), new Uint8Array(999)]),
    ],
    [
      "xz: padded",
      concat([...await parts("xz", BETWEEN), new Uint8Array(512)]),
    ],
  );
  return ways;
}

/** Files that mean nothing: what is wrong, and the words for it. */
async function broken(): Promise<[string, Uint8Array, RegExp][]> {
  const files: [string, Uint8Array, RegExp][] = [];
  for (const tool of TOOLS) {
    const [first, second] = await parts(tool, BETWEEN) as [
      Uint8Array,
      Uint8Array,
    ];
    const cut = /the \w+ data are (damaged or )?cut short/;
    const junk =
      /something else follows the \w+ data|the \w+ data are damaged or cut short/;
    files.push(
      [`${tool}: second cut`, concat([first, second.subarray(0, -3)]), cut],
      [
        `${tool}: second cut early`,
        concat([first, second.subarray(0, 6)]),
        cut,
      ],
      [`${tool}: junk after`, concat([first, second, utf8("junk junk")]), junk],
      [
        `${tool}: junk between`,
        concat([first, utf8("junk junk"), second]),
        junk,
      ],
    );
    // The checksum of either part: bzip2's and gzip's are last, xz's is not.
    for (const [i, bad] of [first, second].entries()) {
      const changed = bad.slice();
      const at = tool === "gzip" ? -7 : tool === "xz" ? -36 : -1;
      changed[changed.length + at]! ^= 0x40;
      const both = i === 0 ? [changed, second] : [first, changed];
      files.push([`${tool}: checksum ${i}`, concat(both), junk]);
    }
  }
  const gzip = await parts("gzip", BETWEEN);
  files.push(
    [
      "gzip: zeros, then another",
      concat([gzip[0]!, new Uint8Array(300_000), gzip[1]!]),
      /something else follows the gzip data/,
    ],
    [
      "zstd: zeros after",
      concat([...await parts("zstd", BETWEEN), new Uint8Array(512)]),
      /something else follows the zstd data/,
    ],
    ["zstd: skippable alone", skippable(5), /skippable frames alone/],
    [
      "zstd: skippable cut",
      concat([...await parts("zstd", BETWEEN), skippable(5).subarray(0, -1)]),
      /the zstd data are cut short/,
    ],
  );
  return files;
}

/** What docker save would write of a layer, and an OCI archive of it. */
function saved(layer: Uint8Array): [string, Uint8Array][] {
  const diffId = digest(rootfs);
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: { Cmd: ["/a"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${diffId}`] },
  });
  const file = (name: string, data: string) => ({ name, data });
  const blob = (text: string) =>
    file(`blobs/sha256/${digest(utf8(text))}`, text);
  const descriptor = (type: string, text: string) => ({
    mediaType: `application/vnd.oci.image.${type}+json`,
    digest: `sha256:${digest(utf8(text))}`,
    size: text.length,
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    config: descriptor("config.v1", config),
    layers: [{
      mediaType: "application/vnd.oci.image.layer.v1.tar+zstd",
      digest: `sha256:${digest(layer)}`,
      size: layer.length,
    }],
  });
  const data = Array.from(layer, (byte) => String.fromCharCode(byte)).join("");
  return [
    [
      "docker",
      tarOf([
        file("config.json", config),
        file("layer.tar", data),
        file(
          "manifest.json",
          JSON.stringify([{
            Config: "config.json",
            RepoTags: null,
            Layers: ["layer.tar"],
          }]),
        ),
      ]),
    ],
    [
      "oci",
      tarOf([
        file("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
        file(
          "index.json",
          JSON.stringify({
            schemaVersion: 2,
            manifests: [descriptor("manifest.v1", manifest)],
          }),
        ),
        blob(manifest),
        blob(config),
        file(`blobs/sha256/${digest(layer)}`, data),
      ]),
    ],
  ];
}

function digest(bytes: Uint8Array): string {
  const hash = sha256();
  hash.update(bytes);
  return hash.hex();
}

/** Builds or converts a file; gives the digest of the layer that came of it. */
async function layerOf(
  runtime: Runtime,
  command: "build" | "convert",
  bytes: Uint8Array,
  ...args: string[]
): Promise<Result & { layer?: string }> {
  const input = `${work}/input`;
  const output = `${work}/output`;
  await Deno.writeFile(input, bytes);
  const result = await ciso(
    [
      command,
      input,
      ...[
        "-t",
        "isoc/hello",
        "--created=0",
        "-o",
        output,
        "-q",
        "--json",
        ...args,
      ],
      ...(command === "build" ? ["--", "/a"] : []),
    ],
    { command: runtime.command, env: { TMPDIR } },
  );
  assert.deepEqual([...Deno.readDirSync(TMPDIR)], []);
  if (result.code === 0) await Deno.remove(output);
  else assert.throws(() => Deno.statSync(output), Deno.errors.NotFound);
  return result.code === 0
    ? { ...result, layer: JSON.parse(result.stdout).layers[0].digest }
    : result;
}

/** Asserts one line of error that says this, and exit code 1. */
function assertRefused(result: Result, words: RegExp, what: string): void {
  const stderr = result.stderr.replace(/^Info Failed to resolve .*\n/gm, "");
  assert.match(stderr, /^ciso: [^\n]*\n$/, what);
  assert.match(stderr, words, what);
  assert.equal(result.code, 1, what);
}

function test(name: string, runtime: Runtime, fn: () => Promise<void>): void {
  const needed = [runtime, ...lacking];
  Deno.test({
    ...unlessMissing(`${name}, under ${runtime.name}`, ...needed),
    async fn() {
      assertNothingMissing(...needed);
      await fn();
    },
  });
}

const layer = `sha256:${digest(rootfs)}`;

for (const runtime of RUNTIMES) {
  test("ciso reads all parts of a compressed rootfs", runtime, async () => {
    for (const [name, bytes] of await whole()) {
      const result = await layerOf(runtime, "build", bytes);
      assert.equal(result.stderr, "", name);
      assert.equal(result.layer, layer, name);
    }
  });

  test("ciso reads all parts of a compressed layer", runtime, async () => {
    for (const [name, bytes] of await whole()) {
      if (!/^(pzstd|zstd|gzip)/.test(name)) continue;
      for (const [kind, image] of saved(bytes)) {
        const result = await layerOf(runtime, "convert", image);
        assert.equal(result.stderr, "", `${name}, ${kind}`);
        assert.equal(result.layer, layer, `${name}, ${kind}`);
      }
    }
  });

  test("ciso refuses broken parts of a rootfs", runtime, async () => {
    for (const [name, bytes, words] of await broken()) {
      assertRefused(await layerOf(runtime, "build", bytes), words, name);
    }
  });

  test("ciso refuses broken parts of a layer", runtime, async () => {
    for (const [name, bytes, words] of await broken()) {
      if (!/^(zstd|gzip)/.test(name)) continue;
      for (const [kind, image] of saved(bytes)) {
        assertRefused(
          await layerOf(runtime, "convert", image),
          words,
          `${name}, ${kind}`,
        );
      }
    }
  });

  test(
    "ciso --max-window bounds the memory of zstd and xz",
    runtime,
    async () => {
      for (
        const [tool, large, words] of [
          [
            "zstd",
            "--long=28",
            /needs a window of 256M, but --max-window allows 128M/,
          ],
          [
            "xz",
            "--lzma2=dict=256MiB",
            /needs more memory, but --max-window allows 128M/,
          ],
        ] as const
      ) {
        const bytes = await compress(tool, rootfs, large);
        assertRefused(await layerOf(runtime, "build", bytes), words, tool);
        const raised = await layerOf(
          runtime,
          "build",
          bytes,
          "--max-window=256M",
        );
        assert.equal(raised.layer, layer, raised.stderr);
        const [[, image]] = saved(bytes) as [[string, Uint8Array]];
        assertRefused(await layerOf(runtime, "convert", image), words, tool);
        const lowered = await layerOf(
          runtime,
          "build",
          await compress(tool, rootfs),
          "--max-window=1M",
        );
        assertRefused(lowered, /but --max-window allows 1M; if/, tool);
      }
    },
  );
}
