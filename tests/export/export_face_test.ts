import assert from "node:assert/strict";
import { build } from "../../lib/build/build.ts";
import { type ExportFace, exportFace } from "../../lib/export/export_face.ts";
import { binary, concat } from "../../lib/streams/bytes.ts";
import { entriesOf } from "../../lib/tar/entries.ts";
import { tarOf } from "../support/tar_writer.ts";

const IMAGE = { names: ["isoc/test:1"], command: ["/a"], created: 0 };
const SIZE = 3_000_000;
const tar = tarOf([
  { name: "a", data: "x".repeat(SIZE), mode: 0o755 },
  { name: "b", data: "y".repeat(SIZE) },
]);
const isoc = new Uint8Array(
  await new Response((await build(new Blob([tar.slice()]), IMAGE)).stream())
    .arrayBuffer(),
);

/** Exports a face; tells how much was read for it. */
async function exported(face: ExportFace, bytes = isoc, drain = false) {
  let read = 0;
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += 1 << 18) {
      const chunk = bytes.slice(at, at + (1 << 18));
      read += chunk.length;
      yield await Promise.resolve(chunk);
    }
  }
  const { chunks: made } = await exportFace(
    chunks(),
    face,
    () => Promise.reject(new Error("It is read twice")),
    { drain },
  );
  const parts: Uint8Array[] = [];
  for await (const chunk of made) parts.push(chunk.slice());
  return { bytes: concat(parts), read };
}

Deno.test("exportFace() reads an isoc only as far as the face goes", async () => {
  for (const face of ["oci", "docker", "rootfs"] as const) {
    const { bytes, read } = await exported(face);
    assert.ok(read < isoc.length * 0.6, `${face}: ${read} of ${isoc.length}`);
    const drained = await exported(face, isoc, true);
    assert.equal(drained.read, isoc.length, face);
    assert.deepEqual(drained.bytes, bytes);
    if (face === "rootfs") assert.deepEqual(bytes, tar);
    else {
      const paths: string[] = [];
      for await (
        const { entry } of entriesOf(new Blob([bytes.slice()]).stream())
      ) {
        paths.push(binary(entry.path));
      }
      assert.ok(!paths.some((path) => path.startsWith("rootfs/")), `${paths}`);
      assert.equal(
        paths.filter((path) => /^blobs\/sha256\/./.test(path)).length,
        face === "oci" ? 3 : 2,
      );
    }
  }
  for (const face of ["appc", "bundle", "lxd", "docker-v1"] as const) {
    assert.equal((await exported(face)).read, isoc.length, face);
  }
});

Deno.test("exportFace() finds damage in what it does read", async () => {
  const damaged = isoc.slice();
  damaged[Math.floor(isoc.length / 4)]! ^= 1;
  for (const face of ["oci", "docker", "rootfs"] as const) {
    await assert.rejects(exported(face, damaged), /is damaged: its digest is/);
  }
});
