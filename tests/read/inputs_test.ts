// The inputs beside docker save, OCI layouts and ACIs: what is taken of each, and
// what a hostile one cannot do.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { filesOfTar } from "../../lib/read/image_files.ts";
import type { ImageChoice } from "../../lib/read/choose_image.ts";
import { readImage } from "../../lib/read/open_image.ts";
import type { StoredImage } from "../../lib/read/stored_image.ts";
import { readAt } from "../../lib/streams/source.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

const hex = (text: string) => createHash("sha256").update(text).digest("hex");

type Files = Record<string, unknown>;

/** Reads an image whose files are given by their paths; objects are JSON. */
async function read(files: Files, choice?: ImageChoice): Promise<StoredImage> {
  const entries = Object.entries(files).map(([name, data]): TarEntry => ({
    name,
    data: typeof data === "string" ? data : JSON.stringify(data),
  }));
  const tar = new Blob([tarOf(entries) as Uint8Array<ArrayBuffer>]);
  return await readImage(await filesOfTar(tar), choice);
}

async function textsOf({ layers }: StoredImage): Promise<string[]> {
  return await Promise.all(
    layers.map(async ({ source }) =>
      new TextDecoder().decode(await readAt(source, 0, source.size))
    ),
  );
}

async function refused(files: Files, line: RegExp, choice?: ImageChoice) {
  await assert.rejects(read(files, choice), (error: Error) => {
    assert.equal(error.name, "InputError");
    assert.match(error.message, line);
    return true;
  });
}

const [A, B] = ["a", "b"].map((letter) => letter.repeat(64)) as [
  string,
  string,
];

/** An image of a Docker v1 archive. */
function v1(id: string, parent: string | undefined, more: object = {}): Files {
  return {
    [`${id}/VERSION`]: "1.0",
    [`${id}/json`]: {
      id,
      ...(parent && { parent }),
      created: `2015-06-01T00:00:0${id === A ? 1 : 2}.5Z`,
      container_config: { Cmd: ["/bin/sh", "-c", `make ${id[0]}`] },
      config: { Cmd: ["/x"], Env: [`ID=${id[0]}`] },
      architecture: "arm64",
      os: "linux",
      Size: 1,
      ...more,
    },
    [`${id}/layer.tar`]: `layer ${id[0]}`,
  };
}

const CHAIN = { ...v1(B, A), ...v1(A, undefined) };

Deno.test("a Docker v1 archive gives layers, config and history of its chain", async () => {
  const image = await read({
    ...CHAIN,
    repositories: { "old/a": { "1": B, "2": B } },
  });
  assert.deepEqual(await textsOf(image), ["layer a", "layer b"]);
  assert.deepEqual(image.names, ["old/a:1", "old/a:2"]);
  assert.deepEqual(image.base.fields, {
    command: ["/x"],
    env: ["ID=b"],
    architecture: "arm64",
    os: "linux",
    created: Date.UTC(2015, 5, 1, 0, 0, 2) / 1000,
  });
  const config = JSON.parse(image.base.config!);
  assert.deepEqual(config.history, [
    { created: "2015-06-01T00:00:01.5Z", created_by: "/bin/sh -c make a" },
    { created: "2015-06-01T00:00:02.5Z", created_by: "/bin/sh -c make b" },
  ]);
  assert.equal(config.id ?? config.parent ?? config.Size, undefined);
});

Deno.test("a Docker v1 archive of several images is asked by name", async () => {
  const files = {
    ...CHAIN,
    repositories: { "old/a": { "1": B }, base: { latest: A } },
  };
  await refused(files, /several images \(old\/a:1 .*base:latest/);
  assert.deepEqual(await textsOf(await read(files, { name: "base" })), [
    "layer a",
  ]);
  assert.deepEqual((await read(files, { name: "old/a:1" })).layers.length, 2);
  await refused(files, /no image "c"; it has old\/a:1/, { name: "c" });
  // docker save ID gives no names.
  const nameless = await read(CHAIN);
  assert.deepEqual(nameless.names, []);
  assert.equal(nameless.layers.length, 2);
});

Deno.test("a Docker v1 archive that is broken or hostile is refused", async () => {
  const repositories = { a: { "1": B } };
  await refused(
    { ...v1(B, A), ...v1(A, B), repositories },
    /bbbbbbbbbbbb is its own parent/,
  );
  await refused({ ...v1(B, B), repositories }, /is its own parent/);
  await refused({ ...v1(B, A), repositories }, /aaa\/json is missing/);
  await refused(
    { ...v1(B, undefined, { parent: "../../etc" }), repositories },
    /parent is "\.\.\/\.\.\/etc", which is no ID/,
  );
  await refused({ repositories: { a: { "1": "../x" } } }, /which is no ID/);
  await refused({ repositories: {} }, /names no image/);
  const { [`${A}/layer.tar`]: _, ...without } = CHAIN;
  await refused({ ...without, repositories }, /aaa\/layer\.tar is missing/);
  await refused(
    { ...v1(B, undefined, { config: 5 }), repositories },
    /json: config is the number 5, but must be an object/,
  );
  // Links make many large documents of one.
  const large: Files = { repositories: { a: { "1": hex("0") } } };
  for (let i = 0; i < 40; i++) {
    Object.assign(
      large,
      v1(hex(`${i}`), hex(`${i + 1}`), { comment: "x".repeat(1 << 20) }),
    );
  }
  await refused(large, /documents of the chain are too large to be true/);
  const long: Files = { repositories: { a: { "1": hex("0") } } };
  for (let i = 0; i < 2001; i++) {
    Object.assign(long, v1(hex(`${i}`), hex(`${i + 1}`)));
  }
  await refused(long, /2001 layers: ciso takes at most 2000/);
});

const CONFIG = JSON.stringify({
  architecture: "arm64",
  os: "linux",
  config: { Cmd: ["a"] },
  rootfs: { diff_ids: [`sha256:${hex("L1")}`] },
});

/** A manifest of one layer. */
const manifest = (layer = hex("L1")) =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: {
      mediaType: "application/vnd.docker.container.image.v1+json",
      digest: `sha256:${hex(CONFIG)}`,
    },
    layers: [{ digest: `sha256:${layer}` }],
  });

const DIR = {
  version: "Directory Transport Version: 1.1\n",
  [hex(CONFIG)]: CONFIG,
  [hex("L1")]: "L1",
};

Deno.test("skopeo's dir: is read as an OCI layout", async () => {
  const image = await read({ ...DIR, "manifest.json": manifest() });
  assert.deepEqual(await textsOf(image), ["L1"]);
  assert.deepEqual(image.base.fields.command, ["a"]);
  assert.equal(image.base.config, CONFIG);
  // With all platforms, a list is above the manifests.
  const one = manifest();
  const list = {
    schemaVersion: 2,
    manifests: [{
      digest: `sha256:${hex(one)}`,
      platform: { os: "linux", architecture: "arm64" },
    }],
  };
  const several = await read({
    ...DIR,
    "manifest.json": list,
    [`${hex(one)}.manifest.json`]: one,
  });
  assert.equal(several.base.config, CONFIG);
});

Deno.test("skopeo's dir: with a wrong digest, or a path for one, is refused", async () => {
  await refused({
    ...DIR,
    "manifest.json": manifest(),
    [hex(CONFIG)]: `${CONFIG} `,
  }, /is damaged: its digest is sha256:/);
  await refused(
    { ...DIR, "manifest.json": manifest("../../etc/passwd") },
    /digest is "sha256:\.\.\/\.\.\/etc\/passwd", but must be/,
  );
  await refused(
    { ...DIR, "manifest.json": manifest(hex("none")) },
    /The layer blobs\/sha256\/.* is missing/,
  );
  await refused({ ...DIR, "manifest.json": "[" }, /manifest\.json is not JSON/);
});

const RUNTIME = {
  ociVersion: "1.0.2",
  process: {
    terminal: true,
    args: ["/bin/x", "y"],
    env: ["PATH=/bin", "A=1"],
    cwd: "/srv",
    user: { uid: 5, gid: 6, additionalGids: [7] },
  },
  root: { path: "rootfs", readonly: true },
  hostname: "Host_1",
  hooks: { prestart: [{ path: "/bin/evil" }] },
  annotations: { "org.opencontainers.image.architecture": "riscv64", k: "v" },
};

Deno.test("a runtime bundle gives its process without its hooks", async () => {
  const image = await read({ "config.json": RUNTIME, "rootfs/a": "" });
  assert.deepEqual(image.base.fields, {
    command: ["/bin/x", "y"],
    env: ["PATH=/bin", "A=1"],
    workdir: "/srv",
    user: "5:6",
    labels: { k: "v" },
    architecture: "riscv64",
  });
  assert.deepEqual(image.names, ["host-1:latest"]);
  assert.equal(image.layers[0]!.root, "rootfs");
  assert.match(image.notes.join("\n"), /hooks, which run programs on the host/);
  assert.match(image.notes.join("\n"), /wants a terminal/);
  assert.match(image.notes.join("\n"), /1 further groups/);
  assert.ok(!JSON.stringify(image.base).includes("evil"));
  const other = { ...RUNTIME, root: { path: "./fs/" } };
  const moved = await read({ "config.json": other, "fs/a": "" });
  assert.equal(moved.layers[0]!.root, "fs");
});

Deno.test("a runtime bundle with its root elsewhere, or a wrong user, is refused", async () => {
  for (const path of ["/", "/etc", "../x", "a/../..", "", "."]) {
    await refused(
      { "config.json": { ...RUNTIME, root: { path } }, "rootfs/a": "" },
      /root\.path is .*not inside the bundle/,
    );
  }
  await refused({ "config.json": RUNTIME }, /its root "rootfs" is missing/);
  for (const uid of [-1, 2 ** 32, 1.5]) {
    await refused({
      "config.json": { ...RUNTIME, process: { user: { uid } } },
      "rootfs/a": "",
    }, /process\.user\.uid is the number .* but must be/);
  }
  await refused(
    { "config.json": { ...RUNTIME, process: { cwd: "x" } }, "rootfs/a": "" },
    /process\.cwd is a string, but must be an absolute path/,
  );
});

const METADATA = `architecture: x86_64
creation_date: 1424284563
properties:
  description: Ubuntu 14.04 LTS Intel 64bit
  name: ubuntu-14.04-amd64
  os: Ubuntu
  release: trusty
  serial: 20150218
  variant: default
templates:
  /etc/hostname: { when: [create], template: hostname.tpl }
`;

Deno.test("an image of LXD gives architecture, time, name and properties", async () => {
  const image = await read({ "metadata.yaml": METADATA, "rootfs/a": "" });
  assert.deepEqual(image.base.fields, {
    architecture: "amd64",
    created: 1424284563,
    labels: {
      description: "Ubuntu 14.04 LTS Intel 64bit",
      name: "ubuntu-14.04-amd64",
      os: "Ubuntu",
      release: "trusty",
      serial: "20150218",
      variant: "default",
    },
  });
  assert.deepEqual(image.names, ["ubuntu-14.04-amd64"]);
  assert.match(image.notes.join(), /1 template of files/);
  // Incus writes what runs into a bundle's document beside it.
  const both = await read({
    "metadata.yaml": METADATA,
    "config.json": RUNTIME,
    "rootfs/a": "",
  });
  assert.deepEqual(both.base.fields.command, ["/bin/x", "y"]);
  assert.equal(both.base.fields.labels!.k, "v");
  assert.equal(both.base.fields.labels!.os, "Ubuntu");
});

Deno.test("the metadata of a split image of LXD lacks its files, and says so", async () => {
  const image = await read({ "metadata.yaml": METADATA, "templates/a": "" });
  assert.deepEqual(image.layers, []);
  assert.match(image.lacks!, /second file: ciso convert METADATA ROOTFS/);
});

Deno.test("metadata.yaml of any other form is refused without its text", async () => {
  const wrong = (text: string, line: RegExp) =>
    refused({ "metadata.yaml": text, "rootfs/a": "" }, line);
  await wrong("creation_date: 1\n\t- secret", /^metadata\.yaml is not YAML$/);
  await wrong(`creation_date: 1\na: ${"[".repeat(1e5)}`, /is not YAML/);
  await wrong("creation_date: 1\nproperties: [1]", /properties is a list/);
  await wrong("creation_date: {a: 1}", /creation_date is an object/);
  // Aliases of aliases cost nothing: nobody walks over them.
  const bomb = ["a: &a [x, x]", "b: &b [*a, *a]", "c: &c [*b, *b]"].join("\n");
  const image = await read({
    "metadata.yaml": `creation_date: 5\n${bomb}\n`,
    "rootfs/a": "",
  });
  assert.equal(image.base.fields.created, 5);
  const own = await read({
    "metadata.yaml": "creation_date: 5\nproperties: {__proto__: p, c: d}\n",
    "rootfs/a": "",
  });
  assert.equal(own.base.fields.labels!.c, "d");
});

Deno.test("an image without layers is read; it needs one on top", async () => {
  const config = JSON.stringify({ rootfs: { diff_ids: [] }, config: {} });
  const image = await read({
    "manifest.json": [{ Config: "c", RepoTags: ["scratch/x:1"], Layers: [] }],
    c: config,
  });
  assert.deepEqual(image.layers, []);
  assert.deepEqual(image.names, ["scratch/x:1"]);
});
