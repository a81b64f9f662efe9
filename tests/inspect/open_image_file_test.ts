import assert from "node:assert/strict";
import { parse as parseYaml } from "@std/yaml";
import { build } from "../../lib/build/build.ts";
import { FACES } from "../../lib/image/face.ts";
import {
  fileContent,
  fromBeginning,
  readImageTree,
} from "../../lib/inspect/layer_tars.ts";
import { openImageFile } from "../../lib/inspect/open_image_file.ts";
import { utf8 } from "../../lib/streams/bytes.ts";
import { sha256 } from "../../lib/streams/sha256.ts";
import { fromStream } from "../../lib/streams/source.ts";
import { verifyArchive } from "../../lib/verify/verify.ts";
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

const ODD = JSON.parse('{"toString":1,"valueOf":1}');
const json = (value: unknown) => JSON.stringify(value);

Deno.test("Values of another type than text are passed over", async () => {
  const config = json({ os: "linux", rootfs: { diff_ids: [ODD] } });
  const blob = new Blob([
    new Uint8Array(tarOf([
      {
        name: "manifest.json",
        data: json([{
          Config: "c.json",
          RepoTags: [ODD, [ODD], "a/b:1"],
          Layers: [ODD],
        }]),
      },
      { name: "c.json", data: config },
      { name: "repositories", data: json({ a: { b: "a".repeat(64) } }) },
      { name: `${"a".repeat(64)}/json`, data: "{}" },
      { name: "oci-layout", data: "{}" },
      {
        name: "index.json",
        data: json({ manifests: [{ digest: ODD, annotations: ODD }, ODD] }),
      },
    ])),
  ]);
  const { images } = await openImageFile(blob);
  assert.deepEqual(images.map(({ names }) => names), [["a/b:1"], ["a:b"]]);
  const report = await verifyArchive(blob, { decompress: unpack, parseYaml });
  assert.ok(report.findings.length > 0);
  for (const { message } of report.findings) {
    assert.doesNotMatch(message, /\[object|undefined/);
  }
});

Deno.test("Indexes that name each other many times are read once", async () => {
  const hash = (text: string) => {
    const sum = sha256();
    sum.update(utf8(text));
    return sum.hex();
  };
  const descriptor = (text: string, kind: string) => ({
    mediaType: `application/vnd.oci.image.${kind}.v1+json`,
    digest: `sha256:${hash(text)}`,
    size: text.length,
  });
  const entries: TarEntry[] = [{
    name: "oci-layout",
    data: '{"imageLayoutVersion":"1.0.0"}',
  }];
  const add = (data: string) => {
    entries.push({ name: `blobs/sha256/${hash(data)}`, data });
    return data;
  };
  const config = add(json({ os: "linux", architecture: "amd64", rootfs: {} }));
  let inner = add(json({
    schemaVersion: 2,
    config: descriptor(config, "config"),
    layers: [],
  }));
  let kind = "manifest";
  for (let depth = 0; depth < 4; depth++) {
    const manifests = Array(1000).fill(descriptor(inner, kind));
    inner = json({ schemaVersion: 2, manifests });
    if (depth < 3) add(inner);
    kind = "index";
  }
  entries.push({ name: "index.json", data: inner });
  const blob = new Blob([new Uint8Array(tarOf(entries))]);
  const opened = await openImageFile(blob);
  assert.equal(opened.images.length, 1);
  await verifyArchive(blob, { decompress: unpack, parseYaml });
});

Deno.test("Very many images and tags neither flood nor take for ever", async () => {
  const tags = Array.from({ length: 100_000 }, (_, i) => `t${i}`);
  const id = "a".repeat(64);
  const blob = new Blob([
    new Uint8Array(tarOf([
      {
        name: "repositories",
        data: json({ x: Object.fromEntries(tags.map((tag) => [tag, id])) }),
      },
      { name: `${id}/json`, data: json({ id }) },
      {
        name: "manifest.json",
        data: json(tags.map((tag) => ({ Config: "c", RepoTags: [tag] }))),
      },
    ])),
  ]);
  const { images, notes } = await openImageFile(blob);
  // The one of repositories is another.
  assert.equal(images.length, 1001);
  assert.ok(notes.includes("It holds more than 1000 images"));
});
