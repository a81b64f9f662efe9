import assert from "node:assert/strict";
import { convert } from "../../lib/mod.ts";
import { tarOf } from "../support/tar_writer.ts";

Deno.test("a device 0:0 in an ACI is left out, and what is made stays the same", async () => {
  const manifest = JSON.stringify({
    acKind: "ImageManifest",
    acVersion: "0.8.11",
    name: "example.com/a",
    labels: [{ name: "os", value: "linux" }, { name: "arch", value: "amd64" }],
  });
  const aci = tarOf([
    { name: "manifest", data: manifest },
    { name: "rootfs/", type: "5", mode: 0o755 },
    { name: "rootfs/a", data: "a", mode: 0o755 },
    { name: "rootfs/hidden", type: "3", device: [0, 0] },
  ]);
  const options = {
    description: { names: ["a"], command: ["/a"], created: 0 },
  };
  const first = await convert(
    new Blob([aci as Uint8Array<ArrayBuffer>]),
    options,
  );
  assert.ok(first.layers[0]!.changes.has("overlay-whiteouts"));
  const archive = await new Response(first.stream()).blob();
  const second = await convert(archive, options);
  assert.equal(second.imageId, first.imageId);
  assert.deepEqual([...second.layers[0]!.changes.keys()], []);
});

Deno.test("empty labels of an ACI say as much as none", async () => {
  const manifest = JSON.stringify({
    acKind: "ImageManifest",
    acVersion: "0.8.11",
    name: "example.com/a",
    labels: ["os", "arch", "version"].map((name) => ({ name, value: "" })),
  });
  const aci = tarOf([
    { name: "manifest", data: manifest },
    { name: "rootfs/", type: "5", mode: 0o755 },
    { name: "rootfs/a", data: "a", mode: 0o755 },
  ]);
  const options = {
    description: { names: ["a"], command: ["/a"], created: 0 },
  };
  const isoc = await convert(
    new Blob([aci as Uint8Array<ArrayBuffer>]),
    options,
  );
  const archive = await new Response(isoc.stream()).blob();
  assert.equal((await convert(archive, options)).imageId, isoc.imageId);
});
