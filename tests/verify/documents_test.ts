import assert from "node:assert/strict";
import { concat, utf8 } from "../../lib/streams/bytes.ts";
import {
  blobsOf,
  editJson,
  hexOf,
  isocOf,
  joined,
  partsOf,
  TREE,
} from "../support/isoc_parts.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";
import { broken, findingLines, verify } from "../support/verify.ts";

const LAYER = tarOf(TREE);
const CONFIG = {
  architecture: "amd64",
  os: "linux",
  config: { Cmd: ["/bin/sh"] },
  rootfs: { type: "layers", diff_ids: [`sha256:${hexOf(LAYER)}`] },
};

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** An entry whose data are bytes. */
function file(name: string, bytes: Uint8Array | string | object): TarEntry {
  const data = typeof bytes === "string"
    ? utf8(bytes)
    : bytes instanceof Uint8Array
    ? bytes
    : utf8(JSON.stringify(bytes));
  return {
    name,
    data: Array.from(data, (byte) => String.fromCharCode(byte)).join(""),
  };
}

/** Documents and layers as blobs of an OCI layout. */
class Layout {
  readonly entries: TarEntry[] = [
    { name: "blobs/", type: "5", mode: 0o755 },
    { name: "blobs/sha256/", type: "5", mode: 0o755 },
  ];

  /** Adds a blob; gives its descriptor. */
  add(mediaType: string, content: Uint8Array | object, more: object = {}) {
    const bytes = content instanceof Uint8Array
      ? content
      : utf8(JSON.stringify(content));
    const digest = hexOf(bytes);
    this.entries.push(file(`blobs/sha256/${digest}`, bytes));
    return {
      mediaType: `application/vnd.oci.image.${mediaType}`,
      digest: `sha256:${digest}`,
      size: bytes.length,
      ...more,
    };
  }

  manifest(config: object, layers: object[], more: object = {}) {
    const document = { schemaVersion: 2, config, layers };
    return this.add("manifest.v1+json", document, more);
  }

  tar(manifests: object[], ...more: TarEntry[]): Uint8Array {
    return tarOf([
      file("oci-layout", { imageLayoutVersion: "1.0.0" }),
      file("index.json", { schemaVersion: 2, manifests }),
      ...this.entries,
      ...more,
    ]);
  }
}

Deno.test("verify takes what jib writes", async () => {
  const archive = tarOf([
    file("config.json", CONFIG),
    file(`${"a".repeat(64)}.tar.gz`, await gzip(LAYER)),
    file("manifest.json", [{
      Config: "config.json",
      RepoTags: ["example.com/app:latest"],
      Layers: [`${"a".repeat(64)}.tar.gz`],
    }]),
  ]);
  assert.deepEqual(await findingLines(archive), []);
  const { engines } = await verify(archive);
  const takers = engines.filter(({ takes }) => takes)
    .map(({ engine }) => engine);
  assert.deepEqual(
    takers,
    ["Docker", "podman", "containerd", "skopeo", "buildah"],
  );
});

Deno.test("verify takes an index of platforms of which one is there, and attestations", async () => {
  const layout = new Layout();
  const config = layout.add("config.v1+json", CONFIG);
  const layer = layout.add("layer.v1.tar+gzip", await gzip(LAYER));
  const platform = { os: "linux", architecture: "amd64" };
  const manifest = layout.manifest(config, [layer], { platform });
  const statement = layout.add("config.v1+json", { attests: true });
  const attestation = layout.manifest(
    layout.add("config.v1+json", { architecture: "unknown", os: "unknown" }),
    [{ ...statement, mediaType: "application/vnd.in-toto+json" }],
    { platform: { os: "unknown", architecture: "unknown" } },
  );
  const missing = {
    ...manifest,
    digest: `sha256:${"d".repeat(64)}`,
    platform: { os: "linux", architecture: "arm64" },
  };
  const index = layout.add("index.v1+json", {
    schemaVersion: 2,
    manifests: [manifest, missing, attestation],
  });
  assert.deepEqual(await broken(layout.tar([index])), []);
  // Nothing but platforms that are not there is no image.
  assert.deepEqual(await broken(layout.tar([missing])), ["blob-missing"]);
});

Deno.test("verify finds a damaged compressed layer", async () => {
  const layout = new Layout();
  const config = layout.add("config.v1+json", CONFIG);
  const bytes = await gzip(LAYER);
  bytes[bytes.length >> 1]! ^= 0xff;
  const layer = layout.add("layer.v1.tar+gzip", bytes);
  const archive = layout.tar([layout.manifest(config, [layer])]);
  assert.deepEqual(await broken(archive), ["layer-compression"]);
});

Deno.test("verify finds a compressed layer that is another one", async () => {
  const layout = new Layout();
  const config = layout.add("config.v1+json", CONFIG);
  const other = await gzip(tarOf(TREE.slice(0, 3)));
  const layer = layout.add("layer.v1.tar+gzip", other);
  const archive = layout.tar([layout.manifest(config, [layer])]);
  assert.deepEqual(await broken(archive), ["diff-id"]);
});

Deno.test("verify takes LXD's images, whose metadata are YAML", async () => {
  const tree = TREE.slice(1).map((entry) => ({
    ...entry,
    name: entry.name.replace("./", "rootfs/"),
    ...(entry.type === "1" && { link: entry.link!.replace("./", "rootfs/") }),
  }));
  const archive = (metadata: string) =>
    tarOf([
      file("metadata.yaml", metadata),
      { name: "rootfs/", type: "5", mode: 0o755 },
      ...tree,
    ]);
  const good = "architecture: x86_64\ncreation_date: 1458040200\n" +
    "properties:\n  os: Debian\n";
  assert.deepEqual(await findingLines(archive(good)), []);
  const bad = good.replace("x86_64", "vax");
  assert.deepEqual(await broken(archive(bad)), ["lxd-schema"]);
  assert.deepEqual(await broken(archive("a: [")), ["json-syntax"]);
});

Deno.test("verify compares what several layers make with rootfs/", async () => {
  const upper = tarOf([
    { name: "etc/", type: "5", mode: 0o755 },
    { name: "etc/.wh.issue" },
    { name: "etc/motd", data: "new\n" },
  ]);
  const isoc = await isocOf();
  const parts = await partsOf(isoc);
  // The same isoc, with a layer more than its rootfs/ knows.
  const { manifest, config } = blobsOf(parts);
  const digest = hexOf(upper);
  editJson(parts, config, (document) => {
    document.rootfs.diff_ids.push(`sha256:${digest}`);
    delete document.history;
  });
  editJson(parts, blobsOf(parts).manifest, (document) => {
    document.layers.push({
      ...document.layers[0],
      digest: `sha256:${digest}`,
      size: upper.length,
    });
  });
  editJson(parts, "manifest.json", ([image]) => {
    image.Layers.push(`blobs/sha256/${digest}`);
  });
  assert.notEqual(manifest, blobsOf(parts).manifest);
  const blob = tarOf([file(`blobs/sha256/${digest}`, upper)]).slice(0, -1024);
  const archive = joined(parts, concat([blob, new Uint8Array(1024)]));
  assert.deepEqual(
    (await findingLines(archive)).map((line) =>
      line.replace(/ in layer.*/, "")
    ),
    [
      'error tree-missing "etc/motd"',
      'error tree-extra "rootfs/etc/issue": no layer has it',
    ],
  );
});

/** Each value in a document, by the keys that lead to it. */
function* places(
  value: unknown,
  path: (string | number)[] = [],
): Generator<(string | number)[]> {
  if (path.length > 0) yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    yield* places(inner, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

Deno.test("verify has words for whatever is in a document", async () => {
  const isoc = await isocOf(undefined, { env: ["A=1"], labels: { x: "y" } });
  const parts = await partsOf(isoc);
  const { manifest, config } = blobsOf(parts);
  const documents = [
    ...["manifest", "oci-layout", "index.json", "manifest.json", manifest],
    ...["config.json", "metadata.yaml", "repositories", "rootfs/json", config],
  ];
  let tried = 0;
  for (const path of documents) {
    const text = new TextDecoder().decode(
      parts.find((part) => part.path === path)!.data,
    );
    for (const keys of places(JSON.parse(text))) {
      const value = [null, 1, []][tried++ % 3];
      const changed = structuredClone(parts);
      editJson(changed, path, (document) => {
        const inner = keys.slice(0, -1).reduce((at, key) => at[key], document);
        inner[keys.at(-1)!] = value;
      });
      // It throws if a value is taken for what it is not.
      await verify(joined(changed));
    }
  }
  assert.ok(tried > 150, `Only ${tried} changes were tried`);
});
