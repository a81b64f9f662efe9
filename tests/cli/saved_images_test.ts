import assert from "node:assert/strict";
import { concat } from "../../lib/streams/bytes.ts";
import { ciso, temporary } from "../support/ciso.ts";
import {
  dockerArchive,
  savedConfig,
  type SavedImage,
  SMALL_LAYER,
} from "../support/docker_archive.ts";
import { run } from "../support/run.ts";
import { tarOf } from "../support/tar_writer.ts";

/** Converts an archive; gives the program's result and the isoc's documents. */
async function convert(archive: Uint8Array, ...args: string[]) {
  await using work = await temporary();
  const [file, out] = [`${work.path}/in.tar`, `${work.path}/out.isoc`];
  await Deno.writeFile(file, archive);
  const { code, stderr } = await ciso(["convert", file, "-o", out, ...args]);
  const said = stderr.replaceAll(file, "IN");
  if (code !== 0) return { code, said, documents: {} };
  const read = async (path: string) =>
    JSON.parse(await run("tar", ["-xOf", out, path]));
  const docker = await read("manifest.json");
  const documents = {
    docker,
    config: await read(docker[0].Config),
    appc: await read("manifest"),
    bundle: await read("config.json"),
  };
  return { code, said, documents };
}

/** The documents of an image that converts. */
async function converted(image: SavedImage, ...args: string[]) {
  const { code, said, documents } = await convert(
    dockerArchive([image]),
    ...args,
  );
  assert.equal(code, 0, said);
  // deno-lint-ignore no-explicit-any
  return { said, ...documents as any };
}

/** What is said of an archive that does not convert. */
async function refused(archive: Uint8Array, ...args: string[]) {
  const { code, said } = await convert(archive, ...args);
  assert.equal(code, 1, said);
  return said;
}

Deno.test("ciso convert leaves out of a face what it cannot express", async () => {
  const { said, config, appc, bundle } = await converted({
    config: {
      ExposedPorts: { "8000-8002/tcp": {}, "80/TCP": {}, http: {}, "0": {} },
      Env: ["PATH=/bin", "A=1", "secret", ""],
      WorkingDir: "app",
      User: "nosuch",
      StopSignal: "SIGFOO",
      Healthcheck: { Test: ["CMD", "/x"], Interval: 100 },
      Labels: { constructor: "c", __proto__: "p" },
    },
  });
  // Docker's document is the image's own.
  assert.deepEqual(
    Object.keys(config.config.ExposedPorts).sort(),
    ["0", "80/TCP", "8000-8002/tcp", "http"],
  );
  assert.deepEqual(config.config.Env, ["PATH=/bin", "A=1", "secret", ""]);
  assert.equal(config.config.WorkingDir, "app");
  assert.deepEqual(config.config.Healthcheck.Interval, 100);
  // deno-lint-ignore no-explicit-any
  const ports = appc.app.ports.map((port: any) => [port.port, port.count]);
  assert.deepEqual(ports.sort(), [[80, 1], [8000, 3]]);
  assert.equal(appc.app.workingDirectory, "/app");
  assert.equal(appc.app.userLabels.constructor, "c");
  assert.deepEqual(bundle.process.env, ["PATH=/bin", "A=1"]);
  assert.equal(bundle.process.cwd, "/app");
  // Never root, if nobody knows who it is.
  assert.deepEqual(bundle.process.user, { uid: 65534, gid: 65534 });
  assert.match(said, /Exposed port "0" is not from 1 to 65535; only the faces/);
  assert.match(said, /Environment entry 3 is not KEY=VALUE/);
  assert.doesNotMatch(said, /secret/);
  assert.match(said, /working directory "app" is not absolute/);
  assert.match(said, /User "nosuch" is not in the rootfs's \/etc\/passwd/);
  assert.match(said, /stop signal "SIGFOO"/);
});

Deno.test("options of ciso convert repair what an image has wrong", async () => {
  const image = {
    top: { author: 5 },
    config: {
      Cmd: 5,
      Env: 5,
      WorkingDir: {},
      User: [],
      Labels: { a: 5 },
      ExposedPorts: [],
      Volumes: 5,
      Healthcheck: "x",
      Shell: 5,
      StopSignal: 15,
    },
  };
  const fixes = [
    ...["--author=x", "-e=A=1", "-w=/srv", "-u=1", "-l=b=c", "--expose=80"],
    ...["--volume=/v", "--no-healthcheck", "--shell=sh", "--stop-signal=INT"],
    ...["--", "/x"],
  ];
  const { config } = await converted(image, ...fixes);
  assert.equal(config.author, "x");
  assert.deepEqual(config.config, {
    Cmd: ["/x"],
    Env: ["A=1"],
    WorkingDir: "/srv",
    User: "1",
    Labels: { b: "c" },
    ExposedPorts: { "80/tcp": {} },
    Volumes: { "/v": {} },
    Healthcheck: { Test: ["NONE"] },
    Shell: ["sh"],
    StopSignal: "SIGINT",
  });
  // One that is left is named with its file, document and place.
  for (
    const [left, message] of [
      ["-u=1", "config.User is a list, but must be a string"],
      ["-l=b=c", "config.Labels.a is the number 5, but must be a string"],
      ["--author=x", "author is the number 5, but must be a string"],
    ]
  ) {
    const some = fixes.filter((option) => option !== left);
    const said = await refused(dockerArchive([image]), ...some);
    assert.match(said, /^ciso: IN: [0-9a-f]{64}\.json: /);
    assert.ok(said.endsWith(`.json: ${message}\n`), said);
  }
});

Deno.test("ciso convert adds nothing to a config, and takes nothing away", async () => {
  const top = {
    created: "2020-01-01T02:03:04.123456789+02:00",
    comment: "x",
    "os.version": "1",
    own: [{ a: null }],
  };
  const config = {
    Env: null,
    Cmd: [],
    Entrypoint: ["/bin/sh"],
    ArgsEscaped: true,
    Healthcheck: { Interval: 5 },
  };
  const image = { top, config };
  const was = JSON.parse(savedConfig(image));
  assert.deepEqual((await converted(image)).config, was);
  const { config: changed } = await converted(image, "-l=a=b");
  assert.deepEqual(changed, {
    ...was,
    config: { ...was.config, Labels: { a: "b" } },
  });
  // An image without a time gets none, and converts to the same bytes always.
  const timeless = await converted({ top: { created: undefined } });
  assert.ok(!("created" in timeless.config));
  assert.equal(timeless.appc.annotations[0].value, "1970-01-01T00:00:00Z");
});

Deno.test("ciso convert writes what Docker loads of times and histories", async () => {
  for (const created of ["", "June"]) {
    const history = [{ created: "", created_by: "x" }];
    const { config } = await converted({ top: { created, history } });
    assert.ok(!("created" in config));
    assert.deepEqual(config.history, [{ created_by: "x" }]);
  }
  const { config, said } = await converted({ top: { history: [{}, {}] } });
  assert.ok(!("history" in config));
  assert.match(
    said,
    /history is left out: it names 2 layers where there are 1/,
  );
});

Deno.test("ciso convert takes an image by its name", async () => {
  const images = ["isoc/one:1", "localhost/two:latest", "isoc/three:3"].map(
    (name) => ({ names: [name], top: { author: name } }),
  );
  await using work = await temporary();
  const file = `${work.path}/with:colon.tar`;
  const out = `${work.path}/out.isoc`;
  await Deno.writeFile(file, dockerArchive(images));
  const author = async () => {
    const [{ Config }] = JSON.parse(
      await run("tar", ["-xOf", out, "manifest.json"]),
    );
    return JSON.parse(await run("tar", ["-xOf", out, Config])).author;
  };
  for (
    const [args, name] of [
      [[`${file}:isoc/one:1`], "isoc/one:1"],
      [[`${file}:docker.io/isoc/one:1`], "isoc/one:1"],
      [[`${file}:isoc/one`], "isoc/one:1"],
      [[`${file}:two`], "localhost/two:latest"],
      [[file, "--name", "isoc/three:3"], "isoc/three:3"],
    ] as [string[], string][]
  ) {
    const { code, stderr } = await ciso(["convert", ...args, "-o", out]);
    assert.equal(code, 0, stderr);
    assert.equal(await author(), name);
  }
  const fail = async (...args: string[]) => {
    const { code, stderr } = await ciso(["convert", ...args, "-o", out]);
    assert.equal(code, 1, stderr);
    return stderr;
  };
  assert.match(
    await fail(file),
    /: It holds several images \(isoc\/one:1 for linux\/amd64, localhost\/two:latest for linux\/amd64, isoc\/three:3 for linux\/amd64\): choose one with FILE:NAME\[:TAG\] or --name NAME\[:TAG\]$/m,
  );
  assert.match(
    await fail(`${file}:isoc/one:2`),
    /: It holds no image "isoc\/one:2"; it has isoc\/one:1/,
  );
  assert.match(await fail(`${file}s:isoc/one`), /no such file/);
});

Deno.test("ciso convert does not relabel an image unless it is forced to", async () => {
  const archive = dockerArchive([{ top: { architecture: "x86_64" } }]);
  const say = ["--platform", "linux/arm64"];
  assert.match(
    await refused(archive, ...say),
    /^ciso: IN: It is for linux\/amd64, not for linux\/arm64; --force-platform/,
  );
  const forced = await convert(archive, ...say, "--force-platform");
  assert.equal(forced.code, 0, forced.said);
  // deno-lint-ignore no-explicit-any
  const { config } = forced.documents as any;
  assert.equal(config.architecture, "arm64");
  const plain = await converted({ top: { architecture: "x86_64" } });
  assert.equal(plain.config.architecture, "amd64");
  const same = await convert(archive, "--platform", "linux/x86-64");
  assert.equal(same.code, 0, same.said);
});

Deno.test("ciso convert knows systems, and says that an image is for Windows", async () => {
  assert.match(
    await refused(dockerArchive([{ top: { os: "windows" } }])),
    /: It is an image for Windows/,
  );
  const { appc } = await converted({ top: { os: "freebsd" } });
  assert.deepEqual(appc.labels.slice(1), [
    { name: "os", value: "freebsd" },
    { name: "arch", value: "amd64" },
  ]);
});

Deno.test("ciso convert refuses what others would read in another way", async () => {
  const archive = dockerArchive([{}]);
  const other = dockerArchive([{ top: { author: "other" } }]);
  assert.match(
    await refused(concat([archive, other])),
    /^ciso: IN: Another archive comes after the end of this one/,
  );
  const twice = dockerArchive([{}], [{ name: "./manifest.json", data: "[]" }]);
  assert.match(
    await refused(twice),
    /^ciso: IN: manifest\.json is in the archive twice/,
  );
});

Deno.test("ciso convert takes manifest.json beside an index without images", async () => {
  const { code, said } = await convert(
    dockerArchive([{}], [
      { name: "oci-layout", data: '{"imageLayoutVersion":"1.0.0"}' },
      { name: "index.json", data: '{"schemaVersion":2,"manifests":null}' },
    ]),
  );
  assert.equal(code, 0, said);
});

Deno.test("documents of other shapes are named with file, document and place", async () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  for (
    const [entries, message] of [
      [{ "manifest.json": "{}" }, "manifest.json is an object, but must be"],
      [{ "manifest.json": "[null]" }, "manifest.json: [0] is null, but must"],
      [{ "manifest.json": deep }, "manifest.json has lists and objects more"],
      [{ "manifest.json": '[{"Config":5}]' }, "manifest.json: [0].Config is"],
      [
        { "oci-layout": "{}", "index.json": '{"manifests":[{"digest":"x"}]}' },
        'index.json: manifests[0].digest is "x", but must be sha256:',
      ],
      [
        { "oci-layout": "{}", "index.json": '{"manifests":{"a":1}}' },
        "index.json: manifests is an object, but must be a list",
      ],
      [
        { manifest: '{"name":"a","labels":{}}', "rootfs/a": "" },
        "manifest: labels is an object, but must be a list",
      ],
      [
        { manifest: '{"name":"a","app":{"user":5}}', "rootfs/a": "" },
        "manifest: app.user is the number 5, but must be a string",
      ],
    ] as [Record<string, string>, string][]
  ) {
    const archive = tarOf(
      Object.entries(entries).map(([name, data]) => ({ name, data })),
    );
    const said = await refused(archive, "-t", "isoc/x");
    assert.ok(said.startsWith(`ciso: IN: ${message}`), said);
  }
  assert.match(
    await refused(dockerArchive([{ top: { history: [null] } }])),
    /^ciso: IN: [0-9a-f]{64}\.json: history\[0\] is null, but must be an object$/m,
  );
});

Deno.test("ciso export never passes a foreign config.json on", async () => {
  await using work = await temporary();
  const [file, isoc, out] = ["in.tar", "x.isoc", "out"].map((name) =>
    `${work.path}/${name}`
  ) as [string, string, string];
  await Deno.writeFile(file, SMALL_LAYER);
  const done = async (...args: string[]) => {
    const { code, stderr } = await ciso(args);
    assert.equal(code, 0, stderr);
  };
  const evil = JSON.stringify({
    ociVersion: "1.0.0",
    hooks: { prestart: [{ path: "/bin/evil" }] },
    root: { path: "/" },
    mounts: [{ destination: "/h", source: "/", options: ["bind"] }],
    process: { args: ["/evil"], env: [], cwd: "/", user: { uid: 0, gid: 0 } },
    linux: { namespaces: [] },
  });
  const yaml = JSON.stringify({
    architecture: "x86_64",
    creation_date: 1,
    properties: {},
    templates: { "/etc/x": { template: "../../etc/shadow" } },
  });
  for (const faces of [[], ["--faces=bundle,lxd"]]) {
    await done(
      ...["build", file, "-t", "isoc/a:1", "-e", "A=1", "-o", isoc, ...faces],
      ...["--created=0", "--", "/good"],
    );
    // The two documents are replaced by foreign ones.
    const folder = `${work.path}/unpacked`;
    await Deno.mkdir(folder);
    await run("tar", ["-xf", isoc, "-C", folder]);
    const was = JSON.parse(await Deno.readTextFile(`${folder}/config.json`));
    await Deno.writeTextFile(`${folder}/config.json`, evil);
    await Deno.writeTextFile(`${folder}/metadata.yaml`, yaml);
    await run("tar", ["-cf", isoc, "-C", folder, "."]);
    for (const face of ["bundle", "lxd"]) {
      await done("export", isoc, "--as", face, "-o", out);
      const config = JSON.parse(await run("tar", ["-xOf", out, "config.json"]));
      assert.equal(config.hooks, undefined);
      assert.deepEqual(config.root, was.root);
      assert.deepEqual(config.mounts, was.mounts);
      assert.deepEqual(config.linux, was.linux);
      // Only what nobody can check comes from there.
      const { args } = config.process;
      assert.deepEqual(args, [faces.length === 0 ? "/good" : "/evil"]);
    }
    const metadata = await run("tar", ["-xOf", out, "metadata.yaml"]);
    assert.equal(JSON.parse(metadata).templates, undefined);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("ciso export takes an index of many images in time", async () => {
  // 4,000 manifests took 20 seconds when each was looked for in the whole list.
  const { createHash } = await import("node:crypto");
  const hex = (text: string) => createHash("sha256").update(text).digest("hex");
  const entries = [{
    name: "oci-layout",
    data: '{"imageLayoutVersion":"1.0.0"}',
  }];
  const manifests = [];
  const config = "{}";
  entries.push({ name: `blobs/sha256/${hex(config)}`, data: config });
  for (let i = 0; i < 4000; i++) {
    const data = JSON.stringify({
      schemaVersion: 2,
      config: { digest: `sha256:${hex(config)}` },
      layers: [],
      annotations: { i: String(i) },
    });
    entries.push({ name: `blobs/sha256/${hex(data)}`, data });
    manifests.push({ digest: `sha256:${hex(data)}`, size: data.length });
  }
  entries.splice(1, 0, {
    name: "index.json",
    data: JSON.stringify({ schemaVersion: 2, manifests }),
  });
  await using work = await temporary();
  const file = `${work.path}/many.tar`;
  await Deno.writeFile(file, tarOf(entries));
  const start = Date.now();
  const { code, stderr } = await ciso([
    ...["export", file, "--as", "docker", "-o", `${work.path}/out`],
  ]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /lists 4000 images|several images/);
  assert.ok(Date.now() - start < 60_000, "It takes too long");
});

Deno.test("ciso export takes an index inside the index, and attestations", async () => {
  await using work = await temporary();
  const [file, isoc, out, folder] = ["in.tar", "x.isoc", "out", "tree"].map(
    (name) => `${work.path}/${name}`,
  ) as [string, string, string, string];
  await Deno.writeFile(file, SMALL_LAYER);
  const done = async (...args: string[]) => {
    const { code, stderr } = await ciso(args);
    assert.equal(code, 0, stderr);
  };
  await done(
    ...["build", file, "-t", "isoc/a:1", "-o", isoc, "--faces=docker,oci"],
    ...["--", "/x"],
  );
  await Deno.mkdir(folder);
  await run("tar", ["-xf", isoc, "-C", folder]);
  const index = JSON.parse(await Deno.readTextFile(`${folder}/index.json`));
  const blob = async (document: object) => {
    const text = JSON.stringify(document);
    const digest = await sha256(text);
    await Deno.writeTextFile(`${folder}/blobs/sha256/${digest}`, text);
    return { digest: `sha256:${digest}`, size: text.length };
  };
  const [image] = index.manifests;
  const attestation = {
    ...await blob({ config: image, layers: [] }),
    platform: { os: "unknown", architecture: "unknown" },
  };
  const inner = await blob({ manifests: [image, attestation] });
  const { annotations } = image;
  for (
    const manifests of [[image, attestation], [{ ...inner, annotations }]]
  ) {
    await Deno.writeTextFile(
      `${folder}/index.json`,
      JSON.stringify({ schemaVersion: 2, manifests }),
    );
    await run("tar", ["-cf", isoc, "-C", folder, "."]);
    for (const face of ["docker", "oci", "rootfs", "docker-v1"]) {
      await done("export", isoc, "--as", face, "-o", out);
    }
    await done("convert", isoc, "-o", out);
  }
});

async function sha256(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(
    new Uint8Array(digest),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}
