import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  type LayerInput,
  readLayers,
  type Spool,
} from "../../lib/rootfs/layer_stack.ts";
import { rootfsEntries } from "../../lib/rootfs/rootfs_entries.ts";
import { binary, concat } from "../../lib/streams/bytes.ts";
import { toStream } from "../../lib/streams/source.ts";
import { entriesOf } from "../../lib/tar/entries.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

const directory = (name: string, more: Partial<TarEntry> = {}): TarEntry => ({
  name,
  type: "5",
  mode: 0o755,
  ...more,
});
const whiteout = (name: string): TarEntry => ({ name, mode: 0 });
const LOWER = [
  directory("d/"),
  { name: "d/x", data: "x" },
  directory("d/e/"),
  { name: "d/e/y", data: "y" },
  { name: "f", data: "f" },
];

const inMemory: Spool = async (chunks) => {
  const parts: BlobPart[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return new Blob(parts);
};

/** The paths and kinds in a tar, as text. */
async function listed(chunks: AsyncGenerator<Uint8Array>): Promise<string[]> {
  const lines: string[] = [];
  for await (const { entry } of entriesOf(toStream(chunks))) {
    const keys = entry.records.map(([key]) => ` ${key}`).join("");
    lines.push(`${binary(entry.path)} ${entry.kind}${keys}`);
  }
  return lines;
}

/** Puts layers on each other: what they make, and the last one of them. */
async function stack(
  layers: (TarEntry[] | Uint8Array)[],
  options: Partial<LayerInput> = {},
) {
  const found = await readLayers(
    layers.map((entries, i) => ({
      source: new Blob([
        (entries instanceof Uint8Array ? entries : tarOf(entries)).slice(),
      ]),
      name: `${i + 1}.tar`,
      ...options,
    })),
    {},
    inMemory,
  );
  const last = found.layers.at(-1)!;
  const tree = await listed(rootfsEntries(found.source, found.tree));
  return {
    tree: tree.map((line) => line.replace("rootfs/", "").split(" ")[0]).sort(),
    changes: [...last.changes].map(([reason, path]) => [reason, binary(path)]),
    layer: await listed(last.chunks()),
    notes: found.notes,
  };
}

Deno.test("LayerTree makes overlayfs's deletion one that all engines know", async () => {
  const { tree, changes, layer } = await stack([
    LOWER,
    [
      { name: "f", type: "3", device: [0, 0] },
      { name: "d/e", type: "3", device: [0, 0] },
    ],
  ]);
  assert.deepEqual(tree, ["d/", "d/x"]);
  assert.deepEqual(changes, [["overlay-whiteouts", "f"]]);
  assert.deepEqual(layer, [".wh.f file", "d/.wh.e file"]);
});

Deno.test("LayerTree makes overlayfs's opaque directory one that all engines know", async () => {
  for (
    const pax of [
      [["SCHILY.xattr.trusted.overlay.opaque", "y"]],
      [["SCHILY.xattr.user.overlay.opaque", "y"]],
      [["LIBARCHIVE.xattr.trusted.overlay.opaque", "eQ"]],
    ] as [string, string][][]
  ) {
    const { tree, changes, layer } = await stack([
      LOWER,
      [directory("d/", { pax }), { name: "d/new" }],
    ]);
    assert.deepEqual(tree, ["d/", "d/new", "f"]);
    assert.deepEqual(changes, [["overlay-attributes", "d"]]);
    assert.deepEqual(layer, [
      "d/.wh..wh..opq file",
      "d/ directory",
      "d/new file",
    ]);
  }
});

Deno.test("LayerTree keeps other attributes, and needs no marker over nothing", async () => {
  const { tree, layer } = await stack([
    LOWER,
    [directory("n/", {
      pax: [
        ["SCHILY.xattr.trusted.overlay.opaque", "y"],
        ["SCHILY.xattr.user.x", "1"],
      ],
    })],
  ]);
  assert.equal(tree.length, 6);
  assert.deepEqual(layer, ["n/ directory SCHILY.xattr.user.x"]);
});

Deno.test("LayerTree refuses what only overlayfs can find", async () => {
  const pax: [string, string][] = [
    ["SCHILY.xattr.trusted.overlay.redirect", "/old"],
  ];
  await assert.rejects(
    stack([LOWER, [directory("new/", { pax })]]),
    /Entry "new\/": .*overlay\.redirect .*make the layer of the mounted tree/,
  );
  const file: [string, string] = ["SCHILY.xattr.user.overlay.metacopy", ""];
  await assert.rejects(
    stack([LOWER, [{ name: "new", data: "", pax: [file] }]]),
    /Entry "new": .*overlay\.metacopy .*make the layer of the mounted tree/,
  );
});

Deno.test("LayerTree drops deletions below what it makes a file, in any order", async () => {
  const file = { name: "d", data: "file" };
  for (
    const upper of [
      [file, whiteout("d/.wh.x")],
      [whiteout("d/.wh.x"), file],
      [file, whiteout("d/.wh..wh..opq")],
      [whiteout("d/.wh..wh..opq"), file],
      [whiteout("d/e/.wh.y"), file],
      [whiteout("d/e/.wh.y"), whiteout("d/.wh.x"), file],
    ]
  ) {
    const { tree, changes, layer } = await stack([LOWER, upper]);
    assert.deepEqual(tree, ["d", "f"]);
    assert.equal(changes[0]![0], "whiteouts");
    assert.deepEqual(layer, ["d file"]);
  }
});

Deno.test("LayerTree still refuses a file over a directory with content", async () => {
  await assert.rejects(
    stack([LOWER, [
      whiteout("d/e/.wh.y"),
      { name: "d/e/new" },
      { name: "d", data: "file" },
    ]]),
    /"d": The path is a directory and something else/,
  );
});

Deno.test("LayerTree leaves out what aufs has left", async () => {
  const { tree, layer } = await stack([
    LOWER,
    [
      directory(".wh..wh.plnk/"),
      { name: ".wh..wh.plnk/1.2", data: "shared" },
      { name: ".wh..wh.aufs" },
      directory(".wh..wh.orph/"),
      { name: "h", type: "1", link: ".wh..wh.plnk/1.2" },
      whiteout(".wh.f"),
    ],
  ]);
  assert.deepEqual(tree, ["d/", "d/e/", "d/e/y", "d/x", "h"]);
  assert.deepEqual(layer, ["h file", ".wh.f file"]);
});

Deno.test("LayerTree has a layer get entries for directories that nobody has", async () => {
  const upper = [{ name: "d/x" }, { name: "n/m/z" }];
  const made = await stack([LOWER, upper]);
  assert.deepEqual(made.changes, [["missing-directories", "n"]]);
  assert.deepEqual(made.layer, [
    "d/x file",
    "n/ directory",
    "n/m/ directory",
    "n/m/z file",
  ]);
  // A layer of an image stays as it is.
  const stored = await stack([LOWER, upper], { fromImage: true });
  assert.deepEqual(stored.changes, []);
  assert.deepEqual(stored.tree, made.tree);
});

Deno.test("A layer of an image ends where engines stop reading it", async () => {
  const upper = concat([tarOf([{ name: "a" }]), tarOf([{ name: "late" }])]);
  const stored = await stack([LOWER, upper], { fromImage: true });
  assert.ok(!stored.tree.includes("late"));
  assert.deepEqual(stored.layer, ["a file"]);
  assert.match(
    stored.notes!.join("\n"),
    /^2\.tar: .*they are left out, the first one is "late"/,
  );
  const given = await stack([LOWER, upper]);
  assert.ok(given.tree.includes("late"));
  assert.match(given.notes!.join("\n"), /they are taken in/);
});

Deno.test("A layer has no bytes only if its image says so", async () => {
  const nothing = createHash("sha256").digest("hex");
  const read = (diffId?: string) =>
    readLayers(
      [
        { source: new Blob([tarOf(LOWER).slice()]), name: "1.tar" },
        { source: new Blob([]), name: "2.tar", fromImage: true, diffId },
      ],
      {},
      inMemory,
    );
  const { layers } = await read(nothing);
  assert.deepEqual(await listed(layers[1]!.chunks()), []);
  for (const other of [undefined, "a".repeat(64)]) {
    await assert.rejects(read(other), /2\.tar: The input is empty/);
  }
});

Deno.test("readLayers() counts the holes of all layers together", async () => {
  const sparse = (name: string): TarEntry => ({
    name,
    pax: [["GNU.sparse.size", "600"], ["GNU.sparse.map", ""]],
  });
  const read = (maxUnpacked: number) =>
    readLayers(
      ["a", "b"].map((name) => ({
        source: new Blob([tarOf([sparse(name)]).slice()]),
        name,
      })),
      { maxUnpacked },
      inMemory,
    );
  await read(1200);
  await assert.rejects(read(1199), /"b": .*more than 1199 bytes/);
});
