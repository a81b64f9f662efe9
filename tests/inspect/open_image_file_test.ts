import assert from "node:assert/strict";
import { build } from "../../lib/build/build.ts";
import { FACES } from "../../lib/image/face.ts";
import {
  fileContent,
  fromBeginning,
  readImageTree,
} from "../../lib/inspect/layer_tars.ts";
import { openImageFile } from "../../lib/inspect/open_image_file.ts";
import { utf8 } from "../../lib/streams/bytes.ts";
import { fromStream } from "../../lib/streams/source.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

const NAMES = ["isoc/one:1.0", "isoc/two"];

async function isocOf(entries: TarEntry[]): Promise<Blob> {
  const rootfs = new Blob([new Uint8Array(tarOf(entries))]);
  const isoc = await build(rootfs, {
    names: NAMES,
    command: ["/bin/true"],
    created: 1433851200,
  });
  return await new Response(isoc.stream()).blob();
}

/** A blob as something that can only be read from its beginning. */
const gunzipped = (blob: { stream(): ReadableStream<Uint8Array> }) =>
  fromBeginning(() =>
    fromStream(
      blob.stream().pipeThrough(
        new DecompressionStream("gzip") as ReadableWritablePair<
          Uint8Array,
          Uint8Array
        >,
      ),
    )
  );

const unpack = () => {
  throw new Error("Nothing is compressed here");
};

Deno.test("An isoc is one image of all faces, with one layer", async () => {
  const blob = await isocOf([
    { name: "bin/", type: "5" },
    { name: "bin/true", data: "x".repeat(700), mode: 0o755 },
    { name: "bin/link", type: "1", link: "bin/true" },
  ]);
  const opened = await openImageFile(blob);
  assert.deepEqual(opened.faces, [...FACES]);
  assert.equal(opened.images.length, 1);
  const [image] = opened.images;
  assert.deepEqual(image!.names, ["isoc/one:1.0", "isoc/two:latest"]);
  assert.deepEqual(image!.platform, { os: "linux", architecture: "amd64" });
  assert.equal(image!.layers.length, 1);
  assert.equal(image!.layers[0]!.digest, image!.layers[0]!.diffId);
  assert.deepEqual(opened.notes, []);
  assert.equal(opened.archive!.junk, 0);
  assert.ok(opened.archive!.rootfs.has(utf8("bin/true"), 700));
  assert.ok(!opened.archive!.rootfs.has(utf8("bin/true"), 701));
  const read = await readImageTree(image!, opened.archive, unpack);
  const node = read.layered.tree.find(utf8("bin/link"));
  const { layer, place } = read.layered.tree.origin(node);
  const chunks = fileContent(read.tars[layer]!.tar!, place);
  let size = 0;
  for await (const chunk of chunks) size += chunk.length;
  assert.equal(size, 700);
});

Deno.test("A file's content comes also where a tar cannot be read at any place", async () => {
  const tar = new Blob([
    new Uint8Array(tarOf([
      { name: "a", data: "x".repeat(100_000) },
      { name: "b", data: "content" },
    ])),
  ]);
  const packed = await new Response(
    tar.stream().pipeThrough(new CompressionStream("gzip")),
  ).blob();
  const place = 512 + Math.ceil(100_000 / 512) * 512;
  const stream = ReadableStream.from(fileContent(gunzipped(packed), place));
  assert.equal(await new Response(stream).text(), "content");
});

Deno.test("What is no image is refused, and said to be none", async () => {
  const tar = new Blob([new Uint8Array(tarOf([{ name: "a" }]))]);
  await assert.rejects(openImageFile(tar), /It is no image: there is no/);
  await assert.rejects(
    openImageFile(new Blob(["x".repeat(2000)])),
    /It is not an image, but text/,
  );
});
