// The inputs beside docker save, OCI layouts and ACIs, by the whole program: the
// same bytes from each runtime, from a file, a pipe and a directory.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { binary } from "../../lib/streams/bytes.ts";
import { allowing, ciso, shell } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import { bundleRuntimes } from "../support/runtimes.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

const hex = (text: string) => createHash("sha256").update(text).digest("hex");

const work = await Deno.makeTempDir({ prefix: "isoc-inputs-test-" });
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

/** Files of an image, by their paths. */
type Files = Record<string, string>;

const LAYER = binary(tarOf([
  { name: "bin/", type: "5", mode: 0o755 },
  { name: "bin/x", data: "#!/bin/sh\n", mode: 0o755 },
]));
const UPPER = binary(tarOf([{ name: "y", data: "y" }]));

const IDS = [hex("1"), hex("2")] as const;
const V1_JSON = (id: string, parent?: string) =>
  JSON.stringify({
    id,
    ...(parent && { parent }),
    created: "2015-06-09T12:00:00Z",
    container_config: { Cmd: ["/bin/sh", "-c", `make ${id.slice(0, 4)}`] },
    config: { Cmd: ["/bin/x"], Env: ["PATH=/bin", "V=1"], WorkingDir: "/" },
    architecture: "amd64",
    os: "linux",
  });
const V1: Files = {
  [`${IDS[0]}/VERSION`]: "1.0",
  [`${IDS[0]}/json`]: V1_JSON(IDS[0]),
  [`${IDS[0]}/layer.tar`]: LAYER,
  [`${IDS[1]}/VERSION`]: "1.0",
  [`${IDS[1]}/json`]: V1_JSON(IDS[1], IDS[0]),
  [`${IDS[1]}/layer.tar`]: UPPER,
  repositories: JSON.stringify({
    "old/app": { "1": IDS[1] },
    "old/base": { latest: IDS[0] },
  }),
};

const CONFIG = JSON.stringify({
  architecture: "amd64",
  os: "linux",
  created: "2015-06-09T12:00:00Z",
  config: { Cmd: ["/bin/x"], Env: ["PATH=/bin", "V=1"] },
  rootfs: { type: "layers", diff_ids: [`sha256:${sha(LAYER)}`] },
  history: [{ created_by: "x" }],
});
const DIR: Files = {
  version: "Directory Transport Version: 1.1\n",
  [hex(CONFIG)]: CONFIG,
  [sha(LAYER)]: LAYER,
  "manifest.json": JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: {
      mediaType: "application/vnd.docker.container.image.v1+json",
      size: CONFIG.length,
      digest: `sha256:${hex(CONFIG)}`,
    },
    layers: [{
      mediaType: "application/vnd.docker.image.rootfs.diff.tar",
      size: LAYER.length,
      digest: `sha256:${sha(LAYER)}`,
    }],
  }),
};
const BUNDLE: Files = {
  "config.json": JSON.stringify({
    ociVersion: "1.0.2",
    process: {
      args: ["/bin/x"],
      env: ["V=1"],
      cwd: "/bin",
      user: { uid: 7, gid: 0 },
    },
    root: { path: "rootfs" },
    hostname: "box",
    hooks: { poststart: [{ path: "/evil" }] },
  }),
  "rootfs/bin/x": "#!/bin/sh\n",
};
const METADATA = `architecture: x86_64
creation_date: 1433851200
properties:
  name: alpine-3.2
  serial: 20150609
`;
const LXD: Files = { "metadata.yaml": METADATA, "rootfs/bin/x": "#!/bin/sh\n" };
const SCRATCH: Files = {
  "manifest.json": JSON.stringify([{
    Config: "config",
    RepoTags: ["scratch/x:1"],
    Layers: [],
  }]),
  config: JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: { Cmd: ["/bin/x"], Env: ["V=1"] },
    rootfs: { type: "layers", diff_ids: [] },
  }),
};

/** SHA-256 of a text with a character for each byte. */
function sha(bytes: string): string {
  return createHash("sha256").update(bytes, "latin1").digest("hex");
}

/** Files as a tar and as a directory; gives their path, the tar's with `.tar`. */
async function put(name: string, files: Files): Promise<string> {
  const path = `${work}/${name}`;
  const entries = Object.entries(files).map(([name, data]): TarEntry => ({
    name,
    data,
    mode: name.startsWith("rootfs/bin/") ? 0o755 : 0o644,
    mtime: 1433851200,
  }));
  await Deno.writeFile(`${path}.tar`, tarOf(entries));
  await Deno.mkdir(path);
  await run("tar", ["-C", path, "-xf", `${path}.tar`]);
  return path;
}

const v1 = await put("v1", V1);
const dir = await put("dir", DIR);
const bundle = await put("bundle", BUNDLE);
const lxd = await put("lxd", LXD);
const meta = await put("meta", { "metadata.yaml": METADATA });
const scratch = await put("scratch", SCRATCH);
const rootfs = await put("rootfs", { "bin/x": "#!/bin/sh\n" });

/** What is converted, and how. */
const CASES: [name: string, args: string[]][] = [
  ["Docker v1", [`convert`, `${v1}.tar:old/app:1`]],
  ["Docker v1 by --name", ["convert", `${v1}.tar`, "--name", "old/base"]],
  ["skopeo's dir:", ["convert", `${dir}.tar`, "-t", "me/dir"]],
  ["a runtime bundle", ["convert", `${bundle}.tar`]],
  ["LXD", ["convert", `${lxd}.tar`]],
  ["LXD in two files", ["convert", `${meta}.tar`, `${rootfs}.tar`]],
  ["no layers", ["build", "--from", `${scratch}.tar`, `${rootfs}.tar`]],
  ["--squash", ["convert", `${v1}.tar:old/app`, "--squash"]],
  ["--unset", ["convert", `${dir}.tar`, "-t", "me/dir", "--unset", "env=V"]],
  ["--dedupe", [
    ...["build", "--from", `${dir}.tar`, "--layer", `${rootfs}.tar`],
    ...["-t", "me/dir", "--dedupe"],
  ]],
];

const RUNTIMES = await bundleRuntimes(["--allow-run=find"]);

for (const [name, args] of CASES) {
  Deno.test(`${name} becomes the same isoc on each runtime`, async () => {
    const digests = new Set<string>();
    for (const { command, missing } of RUNTIMES) {
      if (missing) continue;
      const { code, stdout, stderr } = await shell(
        '"$@" -q | sha256sum',
        args,
        { command, env: { SOURCE_DATE_EPOCH: "1433851200" } },
      );
      assert.equal(code, 0, stderr);
      digests.add(stdout);
    }
    assert.equal(digests.size, 1);
  });
}

Deno.test("a directory and a pipe become what a tar of the files does", async () => {
  for (const path of [v1, dir]) {
    const name = path === v1 ? ["--name", "old/app"] : ["-t", "me/dir"];
    const made = async (line: string, ...args: string[]) => {
      const result = await shell(`${line} | sha256sum`, [...args, ...name]);
      assert.equal(result.code, 0, result.stderr);
      return result.stdout;
    };
    const whole = await made('"$@"', "convert", `${path}.tar`);
    assert.equal(await made('"$@"', "convert", path), whole);
    assert.equal(
      await made(`gzip -c ${path}.tar | "$@"`, "convert", "-"),
      whole,
    );
  }
});

Deno.test("other commands take all of these", async () => {
  const command = allowing("--allow-run=find");
  const call = (...args: string[]) => ciso(args, { command });
  for (const path of [dir, bundle, lxd]) {
    for (const file of [path, `${path}.tar`]) {
      const shown = await call("inspect", file);
      assert.match(shown.stdout, /bin\/x/, shown.stderr);
      const cat = await call("cat", file, "/bin/x");
      assert.equal(cat.stdout, "#!/bin/sh\n");
      const diff = await call("diff", file, `${v1}.tar:old/base`);
      assert.equal(diff.stderr, "");
      assert.doesNotMatch(diff.stdout, /^ {2}[+-] bin/m);
      const verify = await call("verify", file);
      assert.equal(verify.code, 0, verify.stdout);
      const out = `${work}/out.tar`;
      const exported = await call(
        "export",
        file,
        "--as",
        "rootfs",
        "-o",
        out,
      );
      assert.equal(exported.code, 0, exported.stderr);
      assert.match(await run("tar", ["-tf", out]), /^(\.\/)?bin\/x$/m);
    }
  }
});

Deno.test("what is no whole image is refused in words", async () => {
  const refused = async (args: string[], line: RegExp, status = 1) => {
    const { code, stderr } = await ciso(
      [...args, "-o", `${work}/none`],
      { command: allowing("--allow-run=find") },
    );
    assert.equal(code, status, stderr);
    assert.match(stderr.replaceAll(`${work}/`, ""), line);
    await assert.rejects(Deno.stat(`${work}/none`));
  };
  await refused(
    ["convert", `${v1}.tar`],
    /^ciso: v1\.tar: It holds several images \(old\/app:1 for linux\/amd64, old\/base:latest/,
  );
  await refused(
    ["convert", `${v1}.tar:no`],
    /It holds no image "no"; it has old/,
  );
  await refused(
    ["convert", `${meta}.tar`],
    /metadata .* second file: ciso convert METADATA ROOTFS/,
  );
  await refused(
    ["convert", `${scratch}.tar`],
    /The image has no layers: put one on it/,
  );
  await refused(
    ["convert", `${bundle}.tar`, `${rootfs}.tar`],
    /a second file only with the metadata of an image of LXD/,
    2,
  );
  await refused(
    ["build", bundle, "-t", "x", "--", "x"],
    /It is a runtime bundle.*ciso convert/,
  );
  const odd = await put("odd", {
    ...V1,
    repositories: JSON.stringify({ "OLD/App": { "1": IDS[1] } }),
  });
  await refused(
    ["convert", odd],
    /^ciso: The image has the name "OLD\/App:1", which engines refuse: give it one with --tag/,
    2,
  );
  // A colon in the path of a file, with and without a name after it.
  await Deno.copyFile(`${v1}.tar`, `${work}/a:b.tar`);
  await refused(
    ["convert", `${work}/a:b.tar:no`],
    /^ciso: a:b\.tar: It holds no image "no"/,
  );
});

Deno.test("one image of several is chosen, by bare tags and of a pipe too", async () => {
  const command = allowing("--allow-run=find");
  const images = [1, 2].map((digit) => blob(`{"digit":"${digit}"}`));
  const layout = await put("tags", {
    "oci-layout": '{"imageLayoutVersion":"1.0.0"}',
    ...Object.assign({}, ...images.map(({ files }) => files)),
    "index.json": JSON.stringify({
      schemaVersion: 2,
      manifests: images.map(({ descriptor }, i) => ({
        ...descriptor,
        annotations: { "org.opencontainers.image.ref.name": `1.${i}` },
      })),
    }),
  });
  for (
    const [name, args] of [
      ["convert", ["-t", "x"]],
      ["cat", ["bin/x"]],
      ["inspect", ["--config"]],
      ["diff", [`${layout}:1.1`]],
    ] as const
  ) {
    const some = await ciso([name, layout, ...args], { command });
    assert.match(
      some.stderr,
      /tags: It holds several images \(1\.0.*, 1\.1.*\): choose one with FILE:NAME/,
    );
    assert.equal(some.code, 1);
    const none = await ciso([name, `${layout}:1`, ...args], { command });
    assert.match(none.stderr, /tags: It holds no image "1"; it has 1\.0/);
    assert.equal(none.code, 1);
  }
  const same = await ciso(["diff", `${layout}:1.0`, `${layout}:1.1`], {
    command,
  });
  assert.match(same.stdout, /digit=2/);
  const { stdout } = await ciso(["inspect", layout], { command });
  assert.match(stdout, /2 images[^]*--platform or --name choose another/);
  const out = `${work}/of-pipe.isoc`;
  const piped = await shell(`cat ${v1}.tar | "$@"`, [
    ...["convert", "-:old/app", "-q", "-o", out],
  ]);
  assert.equal(piped.code, 0, piped.stderr);
  assert.equal((await ciso(["cat", out, "y"])).stdout, "y");
});

/** An image of one layer for an OCI layout, with a label. */
function blob(labels: string) {
  const config = CONFIG.replace('"Cmd"', `"Labels":${labels},"Cmd"`);
  const file = (text: string, mediaType: string) => ({
    mediaType,
    digest: `sha256:${sha(text)}`,
    size: text.length,
  });
  const type = "application/vnd.oci.image";
  const manifest = JSON.stringify({
    schemaVersion: 2,
    config: file(config, `${type}.config.v1+json`),
    layers: [file(LAYER, `${type}.layer.v1.tar`)],
  });
  return {
    descriptor: file(manifest, `${type}.manifest.v1+json`),
    files: Object.fromEntries(
      [config, LAYER, manifest].map((text) => [
        `blobs/sha256/${sha(text)}`,
        text,
      ]),
    ),
  };
}

Deno.test("a directory's symlinks lead to no files outside", async () => {
  const secret = `${work}/secret`;
  await Deno.mkdir(`${secret}/bin`, { recursive: true });
  await Deno.writeTextFile(`${secret}/layer`, LAYER);
  const escaped = async (files: Files, link: string, target: string) => {
    const path = await put(`escape-${hex(link).slice(0, 8)}`, files);
    await Deno.remove(`${path}/${link}`, { recursive: true });
    await Deno.symlink(target, `${path}/${link}`);
    const { code, stderr } = await ciso([
      ...["convert", path, "--name", "old/app", "-o", `${work}/none`],
    ]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /is a symlink that leads out of the directory/);
  };
  await escaped(V1, `${IDS[1]}/layer.tar`, `${secret}/layer`);
  await escaped(BUNDLE, "rootfs", secret);
  await escaped(DIR, "manifest.json", "/etc/passwd");
});
