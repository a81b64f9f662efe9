// The same archive comes out whichever way it is written: while the rootfs is
// read or after it, with another thread or without, from a file or a pipe, into
// a file or a pipe.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { concat } from "../../lib/streams/bytes.ts";
import { ciso, shell, temporary } from "../support/ciso.ts";
import { bundleRuntimes } from "../support/runtimes.ts";
import {
  entryOf,
  paxHeader,
  type TarEntry,
  tarOf,
} from "../support/tar_writer.ts";

const DIRECTORY = { type: "5", mode: 0o755 };
const SHELL: TarEntry = { name: "bin/sh", mode: 0o755, data: "#!/bin/sh\n" };
const BIN: TarEntry = { name: "bin/", ...DIRECTORY };
const LONG = "directory/".repeat(20);

/** Tars for which the first guess of the archive is right, or wrong. */
const TARS: Record<string, Uint8Array> = {
  "a plain one": tarOf([BIN, SHELL, { name: "a", data: "x".repeat(700_000) }]),
  "one with its root": tarOf([
    { name: "./", ...DIRECTORY, mode: 0o700, pax: [["mtime", "5.5"]] },
    { ...BIN, name: "./bin/" },
    { ...SHELL, name: "./bin/sh", pax: [["mtime", "1234567890.123456789"]] },
  ]),
  "one with its root last": tarOf([
    BIN,
    SHELL,
    { name: "./", ...DIRECTORY, mode: 0o700 },
  ]),
  "missing directories": tarOf([{ name: "a/b/c/d" }, { name: "a/x/y" }, SHELL]),
  "late directories": tarOf([{ name: "a/b/c" }, { name: "a/", ...DIRECTORY }]),
  "long names": tarOf([
    { name: "x", longName: `${LONG}a` },
    { name: "x", pax: [["path", `${LONG}b`]] },
    { name: "c".repeat(99) },
  ]),
  "repeated paths": tarOf([SHELL, { name: "a", data: "1" }, {
    name: "a",
    data: "22",
  }]),
  "entries below a symlink": tarOf([
    { name: "usr/bin/", ...DIRECTORY },
    { name: "bin", type: "2", link: "usr/bin" },
    SHELL,
  ]),
  "hard links": tarOf([
    { name: "a", data: "1" },
    { name: "b", type: "1", link: "a" },
    { name: "c", type: "1", link: "./b" },
  ]),
  "hard links with another mode": tarOf([
    { name: "a", data: "1", mode: 0o755 },
    { name: "b", type: "1", link: "a", mode: 0o600 },
  ]),
  "hard links to symlinks": tarOf([
    { name: "a", type: "2", link: "x" },
    { name: "b", type: "1", link: "a" },
  ]),
  "files of Docker v1": tarOf([{ name: "VERSION", data: "2" }, SHELL]),
  "no closing blocks": tarOf([BIN, SHELL]).subarray(0, -1024),
  "junk at the end": concat([tarOf([BIN, SHELL]), new Uint8Array(999).fill(1)]),
  "several archives": concat([tarOf([BIN]), tarOf([SHELL])]),
  "a global header": concat([
    paxHeader([["comment", "a commit"]], "g"),
    tarOf([BIN, SHELL]),
  ]),
  "a list for rkt that takes more room than documents do": tarOf([
    { name: "dev/zero", type: "3", device: [1, 5] },
    ...Array.from(
      { length: 500 },
      (_, i) => ({ name: `${LONG.slice(0, 60)}/${i}` }),
    ),
  ]),
  // So large that a thread pays, and not a multiple of a buffer.
  "a large one": tarOf([
    BIN,
    SHELL,
    ...Array.from({ length: 30 }, (_, i) => ({
      name: `file${i}`,
      data: String.fromCharCode(97 + i).repeat(900_001),
    })),
    entryOf({ name: "last", data: "x" }),
  ]),
};

const IMAGE = ["-q", "-t", "isoc/ways", "--created", "1000000000"];
const COMMAND = ["--", "/bin/sh"];

/** Ways to make an archive of `$IN` at `$OUT`; `"$@"` is ciso. */
const WAYS: Record<string, [line: string, env?: Record<string, string>]> = {
  "a file to a file, in order": ['"$@" -o "$OUT"', { CISO_WAY: "stream" }],
  "a file to a file": ['"$@" -o "$OUT"'],
  "a file to a file, in one thread": ['"$@" -o "$OUT"', { CISO_WAY: "alone" }],
  "a file to a file, in two": ['"$@" -o "$OUT"', { CISO_WAY: "beside" }],
  "a pipe to a file": ['cat "$IN" | "$@" -o "$OUT"'],
  "a pipe to a file, in two threads": [
    'cat "$IN" | "$@" -o "$OUT"',
    { CISO_WAY: "beside" },
  ],
  "a pipe to a file, in order": [
    'cat "$IN" | "$@" -o "$OUT"',
    { CISO_WAY: "stream" },
  ],
  "a compressed file to a file": ['gzip -1 <"$IN" | "$@" -o "$OUT"'],
  "a file to a pipe": ['"$@" | cat >"$OUT"'],
  "standard input that is a file to a file": ['"$@" <"$IN" -o "$OUT"'],
  "standard input that is a file to a file, in two threads": [
    '"$@" <"$IN" -o "$OUT"',
    { CISO_WAY: "beside" },
  ],
  "standard input that is a file to standard output": [
    '"$@" <"$IN" >"$OUT"',
    { CISO_WAY: "beside" },
  ],
  "standard input that is a file to a pipe, in two threads": [
    '"$@" <"$IN" | cat >"$OUT"',
    { CISO_WAY: "beside" },
  ],
  "a file to a pipe, in two threads": [
    '"$@" | cat >"$OUT"',
    { CISO_WAY: "beside" },
  ],
  "a pipe to a pipe": ['cat "$IN" | "$@" | cat >"$OUT"'],
  "a file to standard output": ['"$@" >"$OUT"'],
  "a file to the end of one": [': >"$OUT"; "$@" >>"$OUT"'],
};

/** The ways that differ in what they read and write. */
const BASIC = [
  "a file to a file, in order",
  "a file to a file",
  "a pipe to a file",
  "a file to a pipe",
];

/** Makes an archive; gives its digest. */
async function digestOf(
  [line, env = {}]: [string, Record<string, string>?],
  input: string,
  more: string[] = [],
  { command, layers = false, words = [...IMAGE, ...COMMAND] }: {
    command?: string[];
    /** Whether `more` names the inputs. */
    layers?: boolean;
    words?: string[];
  } = {},
): Promise<string> {
  const output = `${input}.${crypto.randomUUID()}`;
  const isPiped = line.includes('"$IN"');
  const args = [...isPiped || layers ? [] : [input], ...more];
  // The image's command comes last, after the option that the line adds.
  const { code, stderr } = await shell(
    `ciso() { "$\{START[@]}" "$@" ${words.join(" ")}; }
START=("$@"); set -- ciso
${line}`,
    args,
    {
      env: { ...env, IN: input, OUT: output },
      ...(command && { command }),
    },
  );
  assert.equal(stderr, "", line);
  assert.equal(code, 0);
  const bytes = await Deno.readFile(output);
  await Deno.remove(output);
  return createHash("sha256").update(bytes).digest("hex");
}

for (const [name, tar] of Object.entries(TARS)) {
  Deno.test(`ciso writes the same archive in all ways: ${name}`, async () => {
    await using work = await temporary();
    const input = `${work.path}/in.tar`;
    await Deno.writeFile(input, tar);
    // Where the ways part is not the same for all tars; threads do not matter.
    const ways = Object.entries(WAYS).filter(([way]) =>
      name === "a plain one" || name === "a large one" || BASIC.includes(way)
    );
    const found = await Promise.all(
      ways.map(async ([way, line]) => [way, await digestOf(line, input)]),
    );
    for (const [way, digest] of found) {
      assert.equal(digest, found[0]![1], way);
    }
  });
}

Deno.test("ciso writes the same archive in all ways, with fewer faces", async () => {
  await using work = await temporary();
  const input = `${work.path}/in.tar`;
  for (const name of ["a plain one", "no closing blocks", "repeated paths"]) {
    await Deno.writeFile(input, TARS[name]!);
    for (
      const more of [
        ["--layout", "classic"],
        ["--pristine"],
        ...["docker,oci", "appc", "docker-v1", "bundle,lxd", "oci,lxd"].map(
          (faces) => ["--faces", faces],
        ),
      ]
    ) {
      const ways = Object.values(WAYS).slice(0, 5);
      const found = await Promise.all(
        ways.map((way) => digestOf(way, input, more)),
      );
      assert.deepEqual(new Set(found).size, 1, `${name} ${more} ${found}`);
    }
  }
});

/** Layers for which the first guess of the archive is right, or wrong. */
const STACKS: Record<string, Uint8Array[]> = {
  "one layer": [tarOf([BIN, SHELL])],
  "a layer that adds": [tarOf([BIN, SHELL]), tarOf([{ name: "a", data: "1" }])],
  "a layer that replaces": [
    tarOf([BIN, SHELL, { name: "a", data: "1" }]),
    tarOf([{ ...BIN, mode: 0o700 }, { name: "a", data: "22" }]),
  ],
  "a layer that deletes": [
    tarOf([BIN, SHELL, { name: "a/", ...DIRECTORY }, { name: "a/b" }]),
    tarOf([{ name: ".wh.a" }]),
    tarOf([{ name: "a/", ...DIRECTORY }, { name: "a/c" }]),
  ],
  "a lower layer that is changed": [
    tarOf([BIN, SHELL, { name: "a", data: "x".repeat(70_000) }])
      .subarray(0, -1024),
    tarOf([{ name: "b", data: "y".repeat(5000) }]),
  ],
  "an upper layer that is changed": [
    tarOf([BIN, SHELL]),
    tarOf([{ name: "a", data: "1" }, { name: "a", data: "2" }]),
    tarOf([{ name: "b" }]),
  ],
  "a lowest layer with a deletion": [
    tarOf([BIN, SHELL, { name: ".wh.x" }]),
    tarOf([{ name: "b" }]),
  ],
  "equal layers": [
    tarOf([BIN, SHELL]),
    tarOf([{ name: "a" }]),
    tarOf([{ name: "a" }]),
    tarOf([BIN, SHELL]),
    tarOf([{ name: "b", data: "y".repeat(5000) }]),
  ],
  "missing directories": [tarOf([{ name: "a/b/c" }]), tarOf([{ name: "a/x" }])],
  "a symlink below": [
    tarOf([{ name: "usr/bin/", ...DIRECTORY }, {
      name: "bin",
      type: "2",
      link: "usr/bin",
    }]),
    tarOf([SHELL]),
  ],
  "hard links": [
    tarOf([{ name: "a", data: "1" }, { name: "b", type: "1", link: "a" }]),
    tarOf([{ name: ".wh.a" }]),
  ],
  "documents that take more room": [
    TARS["a list for rkt that takes more room than documents do"]!,
    tarOf([{ name: "a" }]),
  ],
  "large ones": [
    TARS["a large one"]!,
    tarOf([{ name: "more", data: "z".repeat(17_000_000) }]),
  ],
};

/** One compressed file that is two layers, by itself and in an image. */
async function assertSharedLayers(
  folder: string,
  ways: Record<string, [string, Record<string, string>?]>,
): Promise<void> {
  const input = `${folder}/shared`;
  await Deno.writeFile(`${input}.gz`, gzipSync(tarOf([BIN, SHELL])));
  const layers = ["--layer", `${input}.gz`, "--layer", `${input}.gz`];
  const saved = `${input}.isoc`;
  const pack = ["--layer-compression=gzip", "--faces", "oci"];
  const made = await ciso([
    ...layers,
    ...pack,
    ...IMAGE,
    "-o",
    saved,
    ...COMMAND,
  ]);
  assert.equal(made.code, 0, made.stderr);
  for (const args of [layers, ["--from", saved]]) {
    const found = await Promise.all(
      Object.values(ways).map((way) =>
        digestOf(way, input, args, { layers: true })
      ),
    );
    assert.equal(new Set(found).size, 1, `${args}`);
  }
}

/**
 * Compresses the layers of an OCI image layout with one image. Every other one
 * becomes two gzip members, of which the last one does not say how large it is.
 */
async function packLayout(folder: string): Promise<void> {
  const path = (digest: string) =>
    `${folder}/blobs/sha256/${digest.slice("sha256:".length)}`;
  const add = async (bytes: Uint8Array) => {
    const hex = createHash("sha256").update(bytes).digest("hex");
    await Deno.writeFile(`${folder}/blobs/sha256/${hex}`, bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  const index = JSON.parse(await Deno.readTextFile(`${folder}/index.json`));
  const [top] = index.manifests;
  const manifest = JSON.parse(await Deno.readTextFile(path(top.digest)));
  for (const [i, layer] of manifest.layers.entries()) {
    const bytes = await Deno.readFile(path(layer.digest));
    const at = i % 2 === 0 ? bytes.length : bytes.length >> 10 << 9;
    const members = [bytes.subarray(0, at), bytes.subarray(at)];
    Object.assign(
      layer,
      { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" },
      await add(concat(
        members.filter(({ length }) => length > 0).map((bytes) =>
          gzipSync(bytes)
        ),
      )),
    );
  }
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  Object.assign(top, await add(bytes));
  await Deno.writeTextFile(`${folder}/index.json`, JSON.stringify(index));
}

for (const [name, layers] of Object.entries(STACKS)) {
  Deno.test(`ciso writes the same archive of layers in all ways: ${name}`, async () => {
    await using work = await temporary();
    const input = `${work.path}/in`;
    const args: string[] = [];
    for (const [i, layer] of layers.entries()) {
      await Deno.writeFile(`${input}${i}`, layer);
      args.push("--layer", `${input}${i}`);
    }
    const ways: Record<string, [string, Record<string, string>?]> = {
      "in order": ['"$@" -o "$OUT"', { CISO_WAY: "stream" }],
      "at once": ['"$@" -o "$OUT"'],
      "in two threads": ['"$@" -o "$OUT"', { CISO_WAY: "beside" }],
      "to a pipe": ['"$@" | cat >"$OUT"'],
    };
    const found = new Map<string, string>();
    for (const [way, line] of Object.entries(ways)) {
      found.set(way, await digestOf(line, input, args, { layers: true }));
    }
    // The same layers again: as an image has them, and compressed.
    const saved = `${input}.isoc`;
    const made = await ciso([...args, ...IMAGE, "-o", saved, ...COMMAND]);
    assert.equal(made.stderr, "");
    for (const [way, line] of Object.entries(ways)) {
      const digest = await digestOf(line, input, ["convert", saved], {
        layers: true,
        words: ["-q"],
      });
      found.set(`convert, ${way}`, digest);
    }
    const packed: string[] = [];
    for (const [i, layer] of layers.entries()) {
      await Deno.writeFile(`${input}${i}.gz`, gzipSync(layer));
      packed.push("--layer", `${input}${i}.gz`);
    }
    for (const way of ["in order", "at once"]) {
      const digest = await digestOf(ways[way]!, input, packed, {
        layers: true,
      });
      found.set(`compressed, ${way}`, digest);
    }
    const layout = `${work.path}/layout`;
    const copied = await ciso(["copy", "-q", saved, `oci:${layout}`]);
    assert.equal(copied.stderr, "");
    await packLayout(layout);
    const digest = await digestOf(
      ways["in two threads"]!,
      input,
      ["convert", layout],
      { layers: true, words: ["-q"] },
    );
    found.set("convert, compressed", digest);
    if (name === "equal layers") await assertSharedLayers(work.path, ways);
    for (const [way, digest] of found) {
      assert.equal(digest, found.get("in order"), way);
    }
  });
}

for (const { name, command, missing, env } of await bundleRuntimes()) {
  Deno.test({
    name: `ciso writes the same archive in all ways under ${name}`,
    ignore: missing !== undefined,
    async fn() {
      await using work = await temporary();
      const input = `${work.path}/in.tar`;
      for (const tar of ["a large one", "no closing blocks", "hard links"]) {
        await Deno.writeFile(input, TARS[tar]!);
        const wanted = await digestOf(WAYS["a file to a pipe"]!, input);
        for (const [line, more] of Object.values(WAYS).slice(0, 6)) {
          const way: [string, Record<string, string>] = [
            line,
            { ...env, ...more },
          ];
          assert.equal(
            await digestOf(way, input, [], { command }),
            wanted,
            `${tar}: ${way}`,
          );
        }
      }
    },
  });
}

Deno.test("ciso export writes the same in all ways", async () => {
  await using work = await temporary();
  const saved = `${work.path}/in.isoc`;
  // Smaller blobs may be documents.
  const large = (name: string) =>
    tarOf([BIN, SHELL, { name, data: name.repeat(4_500_000) }]);
  // The third one does not end with a whole block.
  const layers = [
    large("a"),
    large("b"),
    concat([large("c"), new Uint8Array(100)]),
  ];
  const args: string[] = [];
  for (const [i, layer] of layers.entries()) {
    await Deno.writeFile(`${work.path}/${i}.tar`, layer);
    args.push("--layer", `${work.path}/${i}.tar`);
  }
  const made = await ciso([...args, ...IMAGE, "-o", saved, ...COMMAND]);
  assert.equal(made.code, 0, made.stderr);
  for (const face of ["oci", "docker", "docker-v1"]) {
    const found = new Map<string, string>();
    for (const way of ["stream", "alone", "beside"]) {
      const digest = await digestOf(
        ['"$@" -o "$OUT"', { CISO_WAY: way }],
        saved,
        ["export", saved, "--as", face],
        { layers: true, words: ["-q"] },
      );
      found.set(way, digest);
    }
    for (const [way, digest] of found) {
      assert.equal(digest, found.get("stream"), `${face}, ${way}`);
    }
  }
});

Deno.test("the layer starts on a boundary that file systems can share", async () => {
  await using work = await temporary();
  const input = `${work.path}/in.tar`;
  const output = `${work.path}/out.isoc`;
  for (const name of ["a plain one", "one with its root", "hard links"]) {
    const tar = TARS[name]!;
    await Deno.writeFile(input, tar);
    const result = await ciso([input, ...IMAGE, "-o", output, ...COMMAND]);
    assert.equal(result.stderr, "");
    const isoc = await Deno.readFile(output);
    const start = 1 << 15;
    assert.deepEqual(isoc.subarray(start, start + tar.length), tar);
  }
});
