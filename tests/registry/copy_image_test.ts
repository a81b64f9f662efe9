import assert from "node:assert/strict";
import type { ImageFiles } from "../../lib/read/image_files.ts";
import { RegistryClient } from "../../lib/registry/client.ts";
import { imageParts, pushParts } from "../../lib/registry/copy_image.ts";
import { layoutFiles } from "../../lib/registry/layout_files.ts";
import { MEDIA } from "../../lib/registry/manifest.ts";
import { readLayout } from "../../lib/registry/platform_images.ts";
import { utf8 } from "../../lib/streams/bytes.ts";
import { digestOf, FakeRegistry } from "../support/fake_registry.ts";

/** A layout of an index with two platforms and BuildKit's attestation. */
function multi() {
  const files = new Map<string, Uint8Array>();
  const add = (value: unknown) => {
    const bytes = utf8(
      typeof value === "string" ? value : JSON.stringify(value),
    );
    const digest = digestOf(bytes);
    files.set(`blobs/${digest.replace(":", "/")}`, bytes);
    return { digest, size: bytes.length };
  };
  const image = (architecture: string) => {
    const layer = add(`layer of ${architecture}`);
    const config = add({
      ...{ architecture, os: "linux" },
      rootfs: { type: "layers", diff_ids: [layer.digest] },
    });
    return {
      mediaType: MEDIA.manifest,
      ...add({
        schemaVersion: 2,
        config: { mediaType: MEDIA.config, ...config },
        layers: [{ mediaType: MEDIA.layer, ...layer }],
      }),
      platform: { os: "linux", architecture },
    };
  };
  const images = ["amd64", "arm64"].map(image);
  const statement = add("statement");
  const attestation = {
    mediaType: MEDIA.manifest,
    ...add({
      schemaVersion: 2,
      config: { mediaType: MEDIA.config, ...add({ os: "unknown" }) },
      layers: [{ mediaType: "application/vnd.in-toto+json", ...statement }],
    }),
    platform: { os: "unknown", architecture: "unknown" },
    annotations: { "vnd.docker.reference.digest": images[0]!.digest },
  };
  const index = add({
    schemaVersion: 2,
    mediaType: MEDIA.index,
    manifests: [...images, attestation],
  });
  files.set("oci-layout", utf8(`{"imageLayoutVersion":"1.0.0"}`));
  files.set(
    "index.json",
    utf8(JSON.stringify({
      manifests: [{
        ...{ mediaType: MEDIA.index, ...index },
        annotations: { "org.opencontainers.image.ref.name": "1" },
      }],
    })),
  );
  return { files: filesOf(files), all: files, index, images, statement };
}

function filesOf(files: Map<string, Uint8Array>): ImageFiles {
  return {
    hasRootfs: false,
    open: (path) => {
      const bytes = files.get(path);
      return Promise.resolve(bytes && new Blob([bytes.slice()]));
    },
  };
}

const client = (registry: FakeRegistry) =>
  new RegistryClient(registry.host, { plainHttp: true });

Deno.test("A copy of all platforms has every byte, attestations too", async () => {
  const { files, index, images, statement } = multi();
  const parts = await imageParts(files, { allPlatforms: true });
  await using registry = new FakeRegistry();
  const reference = { repository: "a", tag: "1" };
  const pushed = await pushParts(client(registry), reference, parts!, {});
  assert.equal(pushed.digest, index.digest);
  assert.ok(registry.blobs.has(statement.digest));
  for (const { digest } of images) assert.ok(registry.manifests.has(digest));
  // What an index lists is there before the index is.
  const puts = registry.requests.filter((line) =>
    /^PUT .*manifests/.test(line)
  );
  assert.equal(puts.length, 4);
  assert.match(puts[3]!, /manifests\/1$/);
});

Deno.test("A copy of one platform has its manifest, and reads no other", async () => {
  const { files, all, images } = multi();
  // The other one is not there at all.
  all.delete(`blobs/${images[0]!.digest.replace(":", "/")}`);
  const parts = await imageParts(files, {
    allPlatforms: false,
    platform: { os: "linux", architecture: "arm64" },
  });
  assert.equal(parts!.top.digest, images[1]!.digest);
  assert.equal(parts!.blobs.size, 2);
  await assert.rejects(
    imageParts(files, { allPlatforms: true }),
    /lists images that are not there/,
  );
  await assert.rejects(
    imageParts(files, {
      allPlatforms: false,
      platform: { os: "linux", architecture: "s390x" },
    }),
    /No image in it is for the platform wanted \(linux\/s390x\)/,
  );
});

Deno.test("layoutFiles() make a layout that is read again; others in it stay", async () => {
  const { files, index } = multi();
  const parts = await imageParts(files, { allPlatforms: true });
  const write = async (tag: string, before?: string) => {
    const written = new Map<string, Uint8Array>();
    for (const { path, size, read } of layoutFiles(parts!, tag, before)) {
      const bytes = new Uint8Array(
        await new Blob(await Array.fromAsync(read()) as BlobPart[])
          .arrayBuffer(),
      );
      assert.equal(bytes.length, size);
      written.set(path, bytes);
    }
    return written;
  };
  const first = await write("one");
  const text = new TextDecoder().decode(first.get("index.json"));
  const second = await write("two", text);
  const { tops } = await readLayout(filesOf(second));
  assert.equal(tops.length, 1);
  assert.deepEqual(tops[0]!.tags, ["one", "two"]);
  assert.equal(tops[0]!.manifest.digest, index.digest);
  // The same tag is replaced.
  const third = await write(
    "two",
    new TextDecoder().decode(second.get("index.json")),
  );
  assert.deepEqual(third.get("index.json"), second.get("index.json"));
});

Deno.test("layoutFiles() fail on a damaged blob before it is whole", async () => {
  const { files, all, statement } = multi();
  all.set(`blobs/${statement.digest.replace(":", "/")}`, utf8("statemenX"));
  const parts = await imageParts(files, { allPlatforms: true });
  await assert.rejects(async () => {
    for (const { read } of layoutFiles(parts!, "x")) {
      for await (const _ of read());
    }
  }, /is damaged/);
});
