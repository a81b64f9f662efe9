import assert from "node:assert/strict";
import { build, buildLayers } from "../../lib/build/build.ts";
import {
  buildPlatforms,
  type PlatformInput,
  type PlatformOptions,
} from "../../lib/build/platforms.ts";
import type { Isoc } from "../../lib/build/isoc.ts";
import { platformKey } from "../../lib/formats/values/platform.ts";
import type { ImageDescription } from "../../lib/rootfs/facts.ts";
import { utf8 } from "../../lib/streams/bytes.ts";
import { sha256 } from "../../lib/streams/sha256.ts";
import { toBytes } from "@std/streams";
import { partsOf } from "../support/isoc_parts.ts";
import { tarOf } from "../support/tar_writer.ts";

const blobOf = (name: string) =>
  new Blob([
    tarOf([
      { name: "bin/", type: "5", mode: 0o755 },
      { name: "bin/sh", data: `#!${name}`, mode: 0o755 },
    ]).slice(),
  ]);
const SHARED = blobOf("shared");
const NAMES = ["isoc/api:1", "isoc/api:latest"];

function input(
  platform: string,
  description: Partial<ImageDescription> = {},
): PlatformInput {
  const [os, architecture, variant] = platform.split("/");
  return {
    layers: [
      { source: SHARED, name: "shared" },
      { source: blobOf(platform), name: "own" },
    ],
    description: {
      names: NAMES,
      command: ["/bin/sh"],
      created: 7,
      os,
      architecture,
      variant,
      ...description,
    },
  };
}

async function joined(
  inputs: PlatformInput[],
  options?: PlatformOptions,
): Promise<Isoc> {
  const spool = () => Promise.reject(new Error("No layer needs a spool"));
  return await buildPlatforms(inputs, spool, options);
}

/** The files of an archive outside rootfs/, and their JSON. */
async function filesOf(isoc: Isoc) {
  const bytes = await toBytes(isoc.stream());
  assert.equal(bytes.length, isoc.size);
  const files = new Map<string, Uint8Array>();
  for (const { path, data } of await partsOf(bytes)) {
    if (!path.startsWith("rootfs/")) {
      assert.ok(!files.has(path), `${path} is there twice`);
    }
    files.set(path, data);
  }
  const json = (path: string) =>
    JSON.parse(new TextDecoder().decode(files.get(path)));
  const blob = (digest: string) => json(`blobs/${digest.replace(":", "/")}`);
  return { bytes, files, json, blob };
}

const digestOf = (bytes: Uint8Array) => {
  const hash = sha256();
  hash.update(bytes);
  return hash.hex();
};

Deno.test("buildPlatforms() puts one index of all platforms below each name", async () => {
  const platforms = ["linux/amd64", "linux/arm/v7", "linux/arm64"];
  const isoc = await joined(platforms.map((one) => input(one)), {
    primary: { os: "linux", architecture: "arm64" },
  });
  const { files, json, blob } = await filesOf(isoc);
  const names = json("index.json").manifests;
  assert.deepEqual(
    names.map(({ digest }: { digest: string }) => digest),
    NAMES.map(() => `sha256:${isoc.indexDigest}`),
  );
  for (const { platform, mediaType, annotations } of names) {
    assert.equal(platform, undefined);
    assert.equal(mediaType, "application/vnd.oci.image.index.v1+json");
    assert.match(annotations["io.containerd.image.name"], /^docker.io\/isoc/);
  }
  const index = blob(names[0].digest);
  assert.deepEqual(
    index.manifests.map(({ platform }: { platform: object }) =>
      Object.values(platform).join(" ")
    ),
    ["amd64 linux", "arm linux v7", "arm64 linux"],
  );
  assert.deepEqual(
    isoc.platforms!.map((one) => [platformKey(one), one.isPrimary]),
    [
      ["linux/amd64/v1", false],
      ["linux/arm/v7", false],
      ["linux/arm64/v8", true],
    ],
  );
  for (const [i, { digest }] of index.manifests.entries()) {
    const { config, layers } = blob(digest);
    const [, architecture, variant] = platforms[i]!.split("/");
    assert.equal(blob(config.digest).architecture, architecture);
    assert.equal(blob(config.digest).variant, variant);
    assert.equal(layers.length, 2);
    for (const layer of layers) {
      const path = `blobs/${layer.digest.replace(":", "/")}`;
      assert.equal(digestOf(files.get(path)!), layer.digest.slice(7));
    }
  }
  const docker = json("manifest.json");
  assert.equal(docker.length, 1);
  assert.equal(docker[0].Config, `blobs/sha256/${isoc.imageId}`);
  assert.equal(blob(`sha256:${isoc.imageId}`).architecture, "arm64");
  assert.deepEqual(
    files.get("rootfs/bin/sh"),
    utf8("#!linux/arm64"),
  );
  assert.ok(
    json("manifest").labels.some(
      ({ value }: { value: string }) => value === "aarch64",
    ),
  );
});

Deno.test("buildPlatforms() makes the same images as each build alone", async () => {
  const inputs = [input("linux/amd64"), input("linux/riscv64")];
  const isoc = await joined(inputs);
  for (const [i, { layers, description }] of inputs.entries()) {
    const alone = await buildLayers(layers, description, () => {
      throw new Error("No layer needs a spool");
    });
    assert.equal(isoc.platforms![i]!.manifestDigest, alone.manifestDigest);
    assert.equal(isoc.platforms![i]!.imageId, alone.imageId);
  }
  assert.equal(isoc.manifestDigest, isoc.platforms![0]!.manifestDigest);
});

Deno.test("buildPlatforms() says what podman makes of several names", async () => {
  const notesOf = async (names: string[]) => {
    const inputs = ["linux/amd64", "linux/arm64"].map((one) =>
      input(one, { names })
    );
    const { notes } = await joined(inputs);
    return notes.filter((note) => note.includes("podman"));
  };
  assert.deepEqual(await notesOf(["isoc/api:1", "docker.io/isoc/api:1"]), []);
  const [note] = await notesOf(NAMES);
  assert.match(note!, /2 names, podman load .* for linux\/amd64 alone/);
});

Deno.test("buildPlatforms() of one image is what build() makes", async () => {
  const { layers, description } = input("linux/amd64");
  const one = { layers: layers.slice(0, 1), description, isRootfs: true };
  const { bytes } = await filesOf(await joined([one]));
  const alone = await build(layers[0]!.source, description);
  assert.deepEqual(bytes, await toBytes(alone.stream()));
});

Deno.test("buildPlatforms() takes no two images for what engines take for one platform", async () => {
  for (
    const [one, two] of [
      ["linux/amd64", "linux/amd64"],
      ["linux/amd64", "linux/amd64/v1"],
      ["linux/arm64/v8", "linux/arm64"],
      ["linux/arm", "linux/arm/v7"],
    ]
  ) {
    await assert.rejects(
      joined([input(one!), input(two!)]),
      /Two images are for linux\/a/,
    );
  }
  await joined([input("linux/amd64"), input("linux/amd64/v2")]);
  await joined([input("linux/arm/v6"), input("linux/arm")]);
});

Deno.test("buildPlatforms() refuses names that differ, and platforms that nobody says", async () => {
  const amd64 = input("linux/amd64");
  await assert.rejects(
    joined([amd64, input("linux/arm64", { names: ["isoc/api:1"] })]),
    /different names .*--tag/,
  );
  await assert.rejects(
    joined([amd64, input("linux/arm64", { architecture: undefined })]),
    /does not say its platform/,
  );
  await assert.rejects(
    joined([amd64, input("linux/arm64")], { primary: { architecture: "386" } }),
    /primary platform 386; there is linux\/amd64, linux\/arm64/,
  );
  await assert.rejects(
    joined([amd64, input("linux/arm64")], { faces: ["docker"] }),
    /need the face oci/,
  );
  await assert.rejects(
    joined(Array.from({ length: 101 }, (_, i) => input(`linux/a${i}`))),
    /101 platforms: an archive takes at most 100/,
  );
});

Deno.test("buildPlatforms() names the platform that is at fault", async () => {
  const broken = input("linux/arm64");
  broken.layers[1]!.source = new Blob(["no tar"]);
  await assert.rejects(
    joined([input("linux/amd64"), broken]),
    /^InputError: linux\/arm64: own: /,
  );
});

Deno.test("buildPlatforms() says in the names' descriptors what all images say", async () => {
  const annotations = { all: "same", own: "a" };
  const isoc = await joined([
    input("linux/amd64", { annotations }),
    input("linux/arm64", { annotations: { all: "same", own: "b" } }),
  ]);
  const { json, blob } = await filesOf(isoc);
  const [first] = json("index.json").manifests;
  assert.equal(first.annotations.all, "same");
  assert.equal(first.annotations.own, undefined);
  const { annotations: common, manifests } = blob(first.digest);
  assert.deepEqual(common, { all: "same" });
  assert.equal(blob(manifests[1].digest).annotations.own, "b");
});
