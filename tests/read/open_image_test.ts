import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { filesOfTar } from "../../lib/read/image_files.ts";
import { readAt } from "../../lib/streams/source.ts";
import { readImage } from "../../lib/read/open_image.ts";
import type { StoredImage } from "../../lib/read/stored_image.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

/** SHA-256 of a text, in hex. */
const hex = (text: string) => createHash("sha256").update(text).digest("hex");

/** Reads an image whose files are given by their paths; objects are JSON. */
async function read(files: Record<string, unknown>): Promise<StoredImage> {
  const entries = Object.entries(files).map(([name, data]): TarEntry => ({
    name,
    data: typeof data === "string" ? data : JSON.stringify(data),
  }));
  const tar = new Blob([tarOf(entries) as Uint8Array<ArrayBuffer>]);
  return await readImage(await filesOfTar(tar));
}

/** An image's layers as text, with what is known of them. */
async function layersOf({ layers }: StoredImage): Promise<unknown[]> {
  return await Promise.all(layers.map(async ({ source, ...rest }) => ({
    text: new TextDecoder().decode(await readAt(source, 0, source.size)),
    ...rest,
  })));
}

const HISTORY = [{ created_by: "one" }, { created_by: "two" }];
const CONFIG = JSON.stringify({
  architecture: "arm64",
  os: "linux",
  config: { Cmd: ["a"], Labels: { k: "v" } },
  rootfs: { diff_ids: [`sha256:${hex("L1")}`, `sha256:${hex("L2")}`] },
  history: HISTORY,
});
const FIELDS = {
  architecture: "arm64",
  os: "linux",
  command: ["a"],
  labels: { k: "v" },
};

Deno.test("readImage() reads a Docker archive", async () => {
  const image = await read({
    [`${hex(CONFIG)}.json`]: CONFIG,
    "a/layer.tar": "L1",
    "b.tar": "L2",
    "manifest.json": [{
      Config: `${hex(CONFIG)}.json`,
      RepoTags: ["isoc/a:1", "isoc/b:2"],
      Layers: ["a/layer.tar", "b.tar"],
    }],
  });
  assert.deepEqual(await layersOf(image), [
    { text: "L1", diffId: hex("L1") },
    { text: "L2", diffId: hex("L2") },
  ]);
  assert.deepEqual(image.base.fields, FIELDS);
  assert.equal(image.base.config, CONFIG);
  assert.deepEqual(image.names, ["isoc/a:1", "isoc/b:2"]);
});

Deno.test("readImage() takes a Docker archive without names", async () => {
  const image = await read({
    "config": CONFIG,
    "1": "L1",
    "2": "L2",
    "manifest.json": [{ Config: "config", RepoTags: null, Layers: ["1", "2"] }],
  });
  assert.deepEqual(image.names, []);
});

/** The files of an image layout with one image. */
function layout(annotations: object): Record<string, unknown> {
  const manifest = JSON.stringify({
    config: {
      mediaType: "application/vnd.docker.container.image.v1+json",
      digest: `sha256:${hex(CONFIG)}`,
    },
    layers: [
      { digest: `sha256:${hex("packed")}` },
      { digest: `sha256:${hex("L2")}` },
    ],
    annotations: { note: "x", number: 1 },
  });
  const blobs = [CONFIG, manifest, "packed", "L2"].map((text) => [
    `blobs/sha256/${hex(text)}`,
    text,
  ]);
  return {
    "oci-layout": "{}",
    "index.json": {
      manifests: [{ digest: `sha256:${hex(manifest)}`, annotations }],
    },
    ...Object.fromEntries(blobs),
  };
}

Deno.test("readImage() reads an OCI image layout", async () => {
  const image = await read(layout({}));
  assert.deepEqual(await layersOf(image), [
    { text: "packed", digest: hex("packed"), diffId: hex("L1") },
    { text: "L2", digest: hex("L2"), diffId: hex("L2") },
  ]);
  assert.deepEqual(image.base.fields, FIELDS);
  assert.equal(image.base.config, CONFIG);
  assert.deepEqual(image.annotations, { note: "x" });
});

Deno.test("readImage() takes full names of an image layout, and no bare tags", async () => {
  const ref = "org.opencontainers.image.ref.name";
  for (
    const [annotations, names] of [
      [{}, []],
      [{ [ref]: "latest" }, []],
      [{ [ref]: "localhost/a:1" }, ["localhost/a:1"]],
      [{ [ref]: "a:1" }, ["a:1"]],
      [{ [ref]: "1", "io.containerd.image.name": "docker.io/library/a:1" }, [
        "docker.io/library/a:1",
      ]],
    ] as [object, string[]][]
  ) {
    assert.deepEqual((await read(layout(annotations))).names, names);
  }
});

Deno.test("readImage() prefers the image layout of what is both", async () => {
  const image = await read({
    ...layout({}),
    "manifest.json": [{ Config: "nowhere", Layers: [] }],
  });
  assert.equal(image.layers.length, 2);
});

Deno.test("readImage() reads an ACI", async () => {
  const files = {
    manifest: { name: "example.com/a", app: { exec: ["/a"] } },
    "rootfs/a": "A",
  };
  const image = await read(files);
  const [layer, ...others] = image.layers;
  assert.equal(layer?.aci, true);
  assert.equal(layer?.visible, undefined);
  assert.equal(layer?.source.size, 512 * 6);
  assert.deepEqual(others, []);
  assert.deepEqual(image.names, ["example.com/a:latest"]);
  assert.deepEqual(image.base.fields, { command: ["/a"] });
});

Deno.test("readImage() reads an isoc of 2015", async () => {
  const image = await read({
    repositories: { "isoc/a": { "1": "id", "2": "id" } },
    manifest: {
      name: "isoc/a",
      labels: [{ name: "arch", value: "amd64" }],
      app: { exec: ["/a", "b"], user: "0", group: "0" },
    },
    "rootfs/VERSION": "1.0",
    "rootfs/layer.tar": "L1",
    "rootfs/json": { config: { Entrypoint: ["/a"], Cmd: ["b"] } },
    "rootfs/a": "A",
  });
  assert.deepEqual(await layersOf(image), [{ text: "L1" }]);
  assert.deepEqual(image.names, ["isoc/a:1", "isoc/a:2"]);
  const { entrypoint, command, architecture } = image.base.fields;
  assert.deepEqual({ entrypoint, command, architecture }, {
    entrypoint: ["/a"],
    command: ["b"],
    architecture: "amd64",
  });
});

Deno.test("readImage() tells what is no image", async () => {
  await assert.rejects(
    read({ "etc/passwd": "" }),
    /^InputError: It is no image: /,
  );
  // An ACI without a rootfs, a layout without its mark.
  await assert.rejects(read({ manifest: {} }), /It is no image/);
  await assert.rejects(read({ "index.json": {} }), /It is no image/);
});
