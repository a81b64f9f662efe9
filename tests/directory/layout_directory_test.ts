import assert from "node:assert/strict";
import { directoryFiles } from "../../lib/directory/layout_directory.ts";
import { walk } from "../../lib/directory/walk.ts";
import { writeLayout } from "../../lib/directory/write_layout.ts";
import { digestOfBytes } from "../../lib/registry/manifest.ts";
import { serveImages } from "../../lib/registry/serve_images.ts";
import {
  addImage,
  type ServedImages,
} from "../../lib/registry/served_images.ts";
import { utf8 } from "../../lib/streams/bytes.ts";
import { temporary } from "../support/ciso.ts";

const LAYER = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
const json = (value: unknown) => utf8(JSON.stringify(value));

/** Writes an OCI image layout; returns the path of its layer. */
async function layoutAt(path: string): Promise<string> {
  const blobs = `${path}/blobs/sha256`;
  await Deno.mkdir(blobs, { recursive: true });
  const put = async (bytes: Uint8Array) => {
    const digest = digestOfBytes(bytes);
    await Deno.writeFile(`${blobs}/${digest.slice(7)}`, bytes);
    return { digest, size: bytes.length };
  };
  const layer = await put(LAYER);
  const config = await put(json({
    ...{ architecture: "amd64", os: "linux" },
    rootfs: { type: "layers", diff_ids: [layer.digest] },
  }));
  const oci = "application/vnd.oci.image";
  const manifest = await put(json({
    schemaVersion: 2,
    config: { mediaType: `${oci}.config.v1+json`, ...config },
    layers: [{ mediaType: `${oci}.layer.v1.tar`, ...layer }],
  }));
  const mediaType = `${oci}.manifest.v1+json`;
  const annotations = { "io.containerd.image.name": "docker.io/me/app:1" };
  await Deno.writeFile(
    `${path}/index.json`,
    json({ manifests: [{ mediaType, ...manifest, annotations }] }),
  );
  await Deno.writeFile(
    `${path}/oci-layout`,
    json({ imageLayoutVersion: "1.0.0" }),
  );
  return `${blobs}/${layer.digest.slice(7)}`;
}

Deno.test("directoryFiles() says which blobs are elsewhere", async () => {
  await using folder = await temporary();
  const path = `${folder.path}/layout`;
  const layer = await layoutAt(path);
  const name = layer.slice(path.length + 1);
  const own = await directoryFiles(path).open(name);
  assert.equal(own?.isElsewhere, false);
  await Deno.rename(layer, `${folder.path}/layer`);
  await Deno.symlink(`${folder.path}/layer`, layer);
  const other = await directoryFiles(path).open(name);
  assert.equal(other?.isElsewhere, true);
  assert.equal(other?.size, LAYER.length);
});

Deno.test("nothing of a file elsewhere is served before its digest fits", async () => {
  await using folder = await temporary();
  const path = `${folder.path}/layout`;
  const layer = await layoutAt(path);
  const get = async () => {
    const images: ServedImages = new Map();
    await addImage(images, directoryFiles(path));
    const blob = `/v2/me/app/blobs/${digestOfBytes(LAYER)}`;
    return await serveImages(images)(
      new Request(`http://localhost${blob}`),
    );
  };
  await Deno.remove(layer);
  // As a secret of this machine, to which who made the layout leads.
  await Deno.writeFile(`${folder.path}/secret`, LAYER.toReversed());
  await Deno.symlink(`${folder.path}/secret`, layer);
  await assert.rejects(get(), /is damaged/);
  await Deno.writeFile(`${folder.path}/secret`, LAYER);
  const whole = new Uint8Array(await (await get()).arrayBuffer());
  assert.deepEqual(whole, LAYER);
});

Deno.test("a root that must be a directory itself may be no symlink", async () => {
  await using folder = await temporary();
  await Deno.mkdir(`${folder.path}/a`);
  await Deno.symlink("a", `${folder.path}/b`);
  const { list } = await walk(`${folder.path}/a`, { isOwnRoot: true });
  assert.equal(list.length, 1);
  // As if it had taken the place of a directory after a look at it.
  await assert.rejects(
    walk(`${folder.path}/b`, { isOwnRoot: true }),
    /\/b changed while it was read/,
  );
});

Deno.test("writeLayout() replaces symlinks and follows none", async () => {
  await using folder = await temporary();
  const path = `${folder.path}/layout`;
  const layer = await layoutAt(path);
  const kept = `${folder.path}/kept`;
  await Deno.writeTextFile(kept, "kept");
  for (const place of [layer, `${path}/index.json`]) {
    await Deno.rename(place, `${folder.path}/${place.slice(-4)}`);
  }
  await Deno.symlink(kept, layer);
  // It has to be an index to be taken for one.
  await Deno.symlink(`${folder.path}/json`, `${path}/index.json`);
  const before = await Deno.readTextFile(`${folder.path}/json`);
  const index = json({ manifests: [] });
  const file = (path: string, bytes: Uint8Array) => ({
    path,
    size: bytes.length,
    async *lent() {
      yield bytes.slice();
    },
  });
  await writeLayout(path, [
    file(layer.slice(path.length + 1), LAYER),
    file("index.json", index),
  ], { noFsync: true });
  assert.deepEqual(await Deno.readFile(layer), LAYER);
  assert.deepEqual(await Deno.readFile(`${path}/index.json`), index);
  for (const place of [layer, `${path}/index.json`]) {
    assert.ok((await Deno.lstat(place)).isFile);
  }
  assert.equal(await Deno.readTextFile(kept), "kept");
  assert.equal(await Deno.readTextFile(`${folder.path}/json`), before);
});
