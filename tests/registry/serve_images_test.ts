import assert from "node:assert/strict";
import type { ImageFiles } from "../../lib/read/image_files.ts";
import { digestOfBytes } from "../../lib/registry/manifest.ts";
import { serveImages } from "../../lib/registry/serve_images.ts";
import {
  addImage,
  type ServedImages,
} from "../../lib/registry/served_images.ts";
import { utf8 } from "../../lib/streams/bytes.ts";

const LAYER = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);

/** An OCI image layout in memory. */
function layout(
  names: string[],
  layer = LAYER,
  artifactTypes: string[] = [],
  bareTag?: string,
): ImageFiles {
  const files = new Map<string, Uint8Array>();
  const add = (bytes: Uint8Array, digest = digestOfBytes(bytes)) => {
    files.set(`blobs/${digest.replace(":", "/")}`, bytes);
    return { digest, size: bytes.length };
  };
  const json = (value: unknown) => utf8(JSON.stringify(value));
  const blob = add(layer, digestOfBytes(LAYER));
  const config = add(json({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [blob.digest] },
  }));
  const manifest = add(json({
    schemaVersion: 2,
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      ...config,
    },
    layers: [{
      mediaType: "application/vnd.oci.image.layer.v1.tar",
      ...blob,
    }],
  }));
  files.set("oci-layout", json({ imageLayoutVersion: "1.0.0" }));
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const images = names.map((name) => ({
    mediaType,
    ...manifest,
    annotations: { "io.containerd.image.name": name },
  }));
  const artifacts = artifactTypes.map((artifactType) => {
    const empty = {
      mediaType: "application/vnd.oci.empty.v1+json",
      ...add(utf8("{}")),
    };
    const document = add(json({
      ...{ schemaVersion: 2, mediaType, artifactType },
      ...{ config: empty, layers: [empty] },
      subject: { mediaType, ...manifest },
    }));
    return { mediaType, ...document, artifactType };
  });
  const tagged = bareTag === undefined ? [] : [{
    mediaType,
    ...manifest,
    annotations: { "org.opencontainers.image.ref.name": bareTag },
  }];
  files.set(
    "index.json",
    json({ manifests: [...images, ...tagged, ...artifacts] }),
  );
  return {
    hasRootfs: false,
    open: (path) => {
      const bytes = files.get(path);
      return Promise.resolve(bytes && new Blob([bytes.slice()]));
    },
  };
}

async function registry(names = ["docker.io/me/app:1.0"], layer = LAYER) {
  const images: ServedImages = new Map();
  await addImage(images, layout(names, layer));
  const answer = serveImages(images);
  return (path: string, init: RequestInit = {}) =>
    answer(new Request(`http://localhost${path}`, init));
}

const LAYER_PATH = `/v2/me/app/blobs/${digestOfBytes(LAYER)}`;

Deno.test("serveImages() gives manifests by tag and digest", async () => {
  const get = await registry();
  assert.equal((await get("/v2/")).status, 200);
  const byTag = await get("/v2/me/app/manifests/1.0");
  const digest = byTag.headers.get("docker-content-digest")!;
  assert.equal(
    byTag.headers.get("content-type"),
    "application/vnd.oci.image.manifest.v1+json",
  );
  const text = await byTag.text();
  assert.equal(digestOfBytes(utf8(text)), digest);
  const byDigest = await get(`/v2/me/app/manifests/${digest}`);
  assert.equal(await byDigest.text(), text);
  const head = await get("/v2/me/app/manifests/1.0", { method: "HEAD" });
  assert.equal(head.headers.get("content-length"), String(text.length));
  assert.equal(await head.text(), "");
  const known = await get("/v2/me/app/manifests/1.0", {
    headers: { "if-none-match": `"${digest}"` },
  });
  assert.equal(known.status, 304);
});

Deno.test("serveImages() gives blobs whole and by ranges", async () => {
  const get = await registry();
  const whole = await get(LAYER_PATH);
  assert.equal(whole.headers.get("content-length"), "200000");
  assert.deepEqual(new Uint8Array(await whole.arrayBuffer()), LAYER);
  const head = await get(LAYER_PATH, { method: "HEAD" });
  assert.equal(head.headers.get("accept-ranges"), "bytes");
  const cases: [string, number, number, number][] = [
    ["bytes=0-0", 206, 0, 1],
    ["bytes=70000-140000", 206, 70_000, 140_001],
    ["bytes=199999-", 206, 199_999, 200_000],
    ["bytes=-5", 206, 199_995, 200_000],
    ["bytes=5-999999999", 206, 5, 200_000],
    // What is no single range is answered with the whole.
    ["bytes=0-1,4-5", 200, 0, 200_000],
    ["bytes=5-2", 200, 0, 200_000],
    ["lines=1-2", 200, 0, 200_000],
    ["bytes=-", 200, 0, 200_000],
  ];
  for (const [range, status, start, end] of cases) {
    const part = await get(LAYER_PATH, { headers: { range } });
    assert.equal(part.status, status, range);
    if (status === 206) {
      assert.equal(
        part.headers.get("content-range"),
        `bytes ${start}-${end - 1}/200000`,
      );
    }
    assert.deepEqual(
      new Uint8Array(await part.arrayBuffer()),
      LAYER.slice(start, end),
      range,
    );
  }
  for (const range of ["bytes=200000-", "bytes=999999-1000000", "bytes=-0"]) {
    const none = await get(LAYER_PATH, { headers: { range } });
    assert.equal(none.status, 416, range);
    assert.equal(none.headers.get("content-range"), "bytes */200000");
  }
  const other = await get(LAYER_PATH, {
    headers: { range: "bytes=0-0", "if-range": '"something else"' },
  });
  assert.equal(other.status, 200);
  await other.body!.cancel();
});

Deno.test("serveImages() never gives a damaged blob for whole", async () => {
  const damaged = LAYER.slice();
  damaged[150_000]! ^= 1;
  const get = await registry(undefined, damaged);
  const whole = await get(LAYER_PATH);
  assert.equal(whole.status, 200);
  await assert.rejects(whole.arrayBuffer(), /damaged/);
  await assert.rejects(
    get(LAYER_PATH, { headers: { range: "bytes=0-9" } }),
    /damaged/,
  );
});

Deno.test("serveImages() lists tags and repositories in pages", async () => {
  const get = await registry([
    "docker.io/library/one:1",
    "docker.io/library/one:2",
    "docker.io/library/one:3",
    "example.com/two:x",
  ]);
  const list = async (path: string) => {
    const response = await get(path);
    return { ...await response.json(), link: response.headers.get("link") };
  };
  assert.deepEqual(await list("/v2/_catalog"), {
    repositories: ["one", "two"],
    link: null,
  });
  assert.deepEqual(await list("/v2/one/tags/list?n=2"), {
    name: "one",
    tags: ["1", "2"],
    link: '</v2/one/tags/list?n=2&last=2>; rel="next"',
  });
  assert.deepEqual(await list("/v2/one/tags/list?n=2&last=2"), {
    name: "one",
    tags: ["3"],
    link: null,
  });
  assert.equal((await get("/v2/one/tags/list?n=x")).status, 400);
  const referrers = await get(`/v2/one/referrers/${digestOfBytes(LAYER)}`);
  assert.deepEqual((await referrers.json()).manifests, []);
});

Deno.test("serveImages() lists what belongs to an image, and gives it", async () => {
  const images: ServedImages = new Map();
  const types = ["application/x-signature", "application/x-sbom"];
  await addImage(images, layout(["docker.io/me/app:1.0"], LAYER, types));
  const answer = serveImages(images);
  const get = (path: string) => answer(new Request(`http://localhost${path}`));
  const image = await get("/v2/me/app/manifests/1.0");
  const path = `/v2/me/app/referrers/${
    image.headers.get("docker-content-digest")
  }`;
  const all = await (await get(path)).json();
  const typesOf = (list: { artifactType: string }[]) =>
    list.map(({ artifactType }) => artifactType);
  assert.deepEqual(typesOf(all.manifests), types);
  const some = await get(`${path}?artifactType=${types[1]}`);
  assert.equal(some.headers.get("oci-filters-applied"), "artifactType");
  const [sbom] = (await some.json()).manifests;
  assert.equal(sbom.artifactType, types[1]);
  const document = await get(`/v2/me/app/manifests/${sbom.digest}`);
  const { config } = await document.json();
  const blob = await get(`/v2/me/app/blobs/${config.digest}`);
  assert.equal(await blob.text(), "{}");
  const wrong = await get("/v2/me/app/referrers/nothing");
  assert.equal(wrong.status, 400);
});

Deno.test("serveImages() answers what is hostile or absent with 4xx", async () => {
  const get = await registry();
  const paths = [
    "/",
    "/v1/",
    "/v2/nobody/manifests/1.0",
    "/v2/me/app/manifests/none",
    "/v2/me/app/blobs/sha256:12",
    `/v2/me/app/blobs/sha256:${"0".repeat(64)}`,
    "/v2/../../etc/passwd",
    "/v2/me/app/blobs/../../../etc/passwd",
    "/v2/me%2fapp/manifests/1.0",
    "/v2/me/app/manifests/%00",
    "/v2/constructor/manifests/1.0",
    "/v2/__proto__/tags/list",
    "/v2/me/app/tags/other",
    `/v2/${"a/".repeat(5000)}b/tags/list`,
  ];
  for (const path of paths) {
    const response = await get(path);
    assert.equal(response.status, 404, path);
    const { errors } = await response.json();
    assert.match(errors[0].code, /^[A-Z_]+$/);
  }
  for (const method of ["PUT", "POST", "PATCH", "DELETE"]) {
    const response = await get("/v2/me/app/manifests/1.0", { method });
    assert.equal(response.status, 405);
  }
});

Deno.test("addImage() refuses an image without a name, and a name twice", async () => {
  const images: ServedImages = new Map();
  await assert.rejects(
    addImage(images, layout(["latest"])),
    /has no name: give one with --name/,
  );
  const home: ServedImages = new Map();
  await addImage(home, layout([], LAYER, [], "1.0"), [], "app");
  assert.deepEqual([...home.get("app")!.tags.keys()], ["1.0"]);
  await addImage(images, layout(["latest"]), ["me/app:2"]);
  assert.deepEqual([...images.get("me/app")!.tags.keys()], ["2"]);
});
