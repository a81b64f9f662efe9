import assert from "node:assert/strict";
import { build } from "../../lib/build/build.ts";
import { convert } from "../../lib/build/convert.ts";
import { exportFace } from "../../lib/export/export_stream.ts";
import { FACES } from "../../lib/image/face.ts";
import { readImage } from "../../lib/read/read_image.ts";
import { binary } from "../../lib/streams/bytes.ts";
import { tarOf } from "../support/tar_writer.ts";

const blobOf = (bytes: Uint8Array) => new Blob([bytes.slice()]);
const rootfs = blobOf(tarOf([
  { name: "bin/", type: "5", mode: 0o755 },
  { name: "bin/sh", data: "#!", mode: 0o755 },
]));
const upper = blobOf(tarOf([{ name: "bin/new", data: "new" }]));
const IMAGE = { names: ["isoc/api:1"], command: ["/bin/sh"], created: 7 };

async function fileOf(isoc: { stream(): ReadableStream<Uint8Array> }) {
  return await new Response(isoc.stream()).blob();
}

Deno.test("convert() keeps layers and configuration", async () => {
  const old = await build([rootfs, upper], IMAGE);
  const isoc = await convert(await fileOf(old));
  assert.equal(isoc.imageId, old.imageId);
  assert.deepEqual(
    isoc.layers.map(({ digest }) => digest),
    old.layers.map(({ digest }) => digest),
  );
  assert.equal((await fileOf(isoc)).size, isoc.size);
  isoc.close();
});

Deno.test("convert() changes what the description says, and nothing else", async () => {
  const old = await build(rootfs, { ...IMAGE, env: ["A=1"], user: "5:6" });
  const isoc = await convert(await fileOf(old), {
    description: { names: ["other:2"], user: "7:8" },
  });
  const { names, base: { fields } } = await readImage(await fileOf(isoc));
  assert.deepEqual(names, ["docker.io/library/other:2"]);
  assert.equal(fields.user, "7:8");
  assert.ok(fields.env?.includes("A=1"));
  assert.equal(fields.created, 7);
});

Deno.test("build() takes a Date, seconds or SOURCE_DATE_EPOCH as the time", async () => {
  const time = async (created?: Date | number) =>
    (await build(rootfs, { ...IMAGE, created })).image.created;
  assert.equal(await time(new Date("1970-01-01T00:01:00Z")), 60);
  assert.equal(await time(61), 61);
  const before = Math.floor(Date.now() / 1000);
  const now = await time();
  assert.ok(now >= before && now <= Date.now() / 1000);
  Deno.env.set("SOURCE_DATE_EPOCH", "62");
  try {
    assert.equal(await time(), 62);
    Deno.env.set("SOURCE_DATE_EPOCH", "soon");
    await assert.rejects(time(), /SOURCE_DATE_EPOCH .* not "soon"/);
  } finally {
    Deno.env.delete("SOURCE_DATE_EPOCH");
  }
  await assert.rejects(time(new Date(NaN)), { name: "DescriptionError" });
});

Deno.test("exportFace() gives each face of an isoc, whole", async () => {
  const isoc = await fileOf(await build(rootfs, IMAGE));
  for (const face of FACES) {
    const archive = await new Response(await exportFace(isoc, face)).blob();
    assert.ok(archive.size > 0 && archive.size < isoc.size, face);
  }
  await assert.rejects(exportFace(new Blob(["no tar"]), "oci"), {
    message: /not a tar/,
  });
});

Deno.test("convert() takes layers with gzip, and says what it cannot take", async () => {
  const old = await build(rootfs, IMAGE, { faces: ["docker"] });
  const compressed = async (compress: (tar: Uint8Array) => Promise<Blob>) => {
    const { layers, base, names } = await readImage(await fileOf(old));
    const tar = await new Response(layers[0]!.source.stream()).bytes();
    const layer = new Uint8Array(await (await compress(tar)).arrayBuffer());
    const manifest = [{
      Config: "config.json",
      RepoTags: names,
      Layers: ["layer"],
    }];
    return blobOf(tarOf([
      { name: "manifest.json", data: JSON.stringify(manifest) },
      { name: "config.json", data: base.config! },
      { name: "layer", data: binary(layer) },
    ]));
  };
  const gzip = await compressed((tar) =>
    new Response(
      new Blob([tar.slice()]).stream().pipeThrough(
        new CompressionStream("gzip"),
      ),
    ).blob()
  );
  const isoc = await convert(gzip);
  assert.equal(isoc.layers[0]!.digest, old.layers[0]!.digest);
  const zstd = await compressed(() =>
    Promise.resolve(new Blob([new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0, 0])]))
  );
  await assert.rejects(convert(zstd), {
    name: "InputError",
    message: /zstd.*decompress/,
  });
});

Deno.test("convert() takes away what is to be unset, before what is given", async () => {
  const old = await build(rootfs, {
    ...IMAGE,
    env: ["A=1", "B=2"],
    user: "7",
  }, { faces: ["docker"] });
  const isoc = await convert(await fileOf(old), {
    unset: ["env=A", "user", "env=NONE"],
    description: { user: "8" },
  });
  const { base } = await readImage(await fileOf(isoc));
  assert.deepEqual(base.fields.env!.slice(1), ["B=2"]);
  assert.equal(base.fields.user, "8");
  assert.match(isoc.notes.join("\n"), /has no env NONE/);
  await assert.rejects(convert(await fileOf(old), { unset: ["nothing"] }), {
    name: "DescriptionError",
    message: /"nothing" is not one of env=KEY/,
  });
});
