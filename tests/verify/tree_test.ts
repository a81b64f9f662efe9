import assert from "node:assert/strict";
import { build } from "../../lib/build/build.ts";
import {
  blobsOf,
  editJson,
  hexOf,
  isocOf,
  joined,
  newPart,
  type Part,
  part,
  partsOf,
  setData,
  setPath,
} from "../support/isoc_parts.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";
import { broken, findingLines } from "../support/verify.ts";

/** Puts another entry in the place of one. */
function replace(parts: Part[], entry: TarEntry): void {
  const at = parts.indexOf(part(parts, entry.name));
  parts[at] = newPart(entry);
}

async function isocWith(change: (parts: Part[]) => void | Promise<void>) {
  const parts = await partsOf(await isocOf());
  await change(parts);
  return joined(parts);
}

/** An isoc of a tar, made at a time in seconds. */
async function built(entries: TarEntry[], created: number) {
  const description = { names: ["x"], command: ["/x"], created };
  const tar = new Blob([tarOf(entries) as BlobPart]);
  const { stream } = await build(tar, description);
  return await new Response(stream()).bytes();
}

const ISSUE = { name: "rootfs/etc/issue", data: "hello\n" };

Deno.test("verify follows a layer's own symlinks, as engines do", async () => {
  const below = (data: string): TarEntry[] => [
    { name: "usr/", type: "5", mode: 0o755 },
    { name: "usr/lib/", type: "5", mode: 0o755 },
    { name: "lib", type: "2", link: "usr/lib" },
    { name: "lib64", type: "2", link: "/lib" },
    { name: "lib64/x", data },
    { name: "lib/link", type: "1", link: "lib/x" },
    // These lead to the root.
    { name: "usr/top", type: "2", link: "../../.." },
    { name: "usr/top/file", data },
    { name: "here", type: "2", link: "." },
    { name: "here/file2", data },
  ];
  const good = await built(below("same"), 0);
  assert.deepEqual(await broken(good), []);
  // The last copy of the data is below rootfs/.
  const text = new TextDecoder("latin1").decode(good);
  good[text.lastIndexOf("same")] = 0x53;
  assert.deepEqual(await broken(good), ["tree-content"]);
});

Deno.test("missing directories are the same in each face at any time", async () => {
  const isoc = await built([{ name: "a/b/c", data: "c" }], 1433851200);
  assert.deepEqual(await broken(isoc), []);
});

Deno.test("verify goes by what headers mean, not by how they are written", async () => {
  for (
    const same of [
      { pax: [["mtime", "1433664550.0"], ["uid", "0"], ["gid", "0"]] },
      { pax: [["path", "rootfs/etc/issue"]], name: "rootfs/etc/issue" },
      { dialect: "gnu" },
      { pax: [["atime", "1"], ["comment", "x"]] },
    ] as Partial<TarEntry>[]
  ) {
    const isoc = await isocWith((parts) =>
      replace(parts, { ...ISSUE, ...same })
    );
    assert.deepEqual(await broken(isoc), []);
  }
  for (
    const other of [
      { pax: [["mtime", "1433664550.5"]] },
      { pax: [["uid", "1"]] },
      { pax: [["SCHILY.xattr.user.x", "1"]] },
      { mtime: 1 },
      { uid: 1 },
      { gid: 1 },
      { raw: [[265, "bob"]] },
    ] as Partial<TarEntry>[]
  ) {
    const isoc = await isocWith((parts) =>
      replace(parts, { ...ISSUE, ...other })
    );
    assert.deepEqual(await broken(isoc), ["tree-metadata"]);
  }
});

Deno.test("verify tells a hard link from a copy", async () => {
  const isoc = await isocWith((parts) =>
    replace(parts, {
      name: "rootfs/bin/ash",
      mode: 0o755,
      data: "#! a shell".repeat(100),
    })
  );
  assert.deepEqual(await broken(isoc), ["tree-link"]);
});

/** Compresses the layer of an isoc, in all documents. */
async function compressLayer(parts: Part[]): Promise<void> {
  const { layer, manifest } = blobsOf(parts);
  const file = part(parts, layer);
  const stream = new Blob([file.data as Uint8Array<ArrayBuffer>]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  const data = new Uint8Array(await new Response(stream).arrayBuffer());
  const path = `blobs/sha256/${hexOf(data)}`;
  setData(file, data);
  setPath(file, path);
  editJson(parts, manifest, ({ layers: [descriptor] }) => {
    descriptor.digest = `sha256:${hexOf(data)}`;
    descriptor.size = data.length;
    descriptor.mediaType += "+gzip";
  });
  editJson(parts, "manifest.json", ([image]) => void (image.Layers = [path]));
  const link = { name: "rootfs/layer.tar", type: "2", link: `../${path}` };
  replace(parts, link);
}

Deno.test("verify compares rootfs/ with layers that are compressed", async () => {
  assert.deepEqual(await findingLines(await isocWith(compressLayer)), []);
  const other = await isocWith(async (parts) => {
    await compressLayer(parts);
    part(parts, "rootfs/etc/issue").data[0]! ^= 1;
  });
  assert.deepEqual(await broken(other), ["tree-content"]);
});
