// --squash, --rebase and --unset: what becomes of layers, history and config.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { binary } from "../../lib/streams/bytes.ts";
import { ciso, temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

const hex = (bytes: Uint8Array | string) =>
  createHash("sha256").update(bytes).digest("hex");

interface Made {
  layers: TarEntry[][];
  config?: Record<string, unknown>;
  top?: Record<string, unknown>;
  history?: Record<string, unknown>[];
}

/** A docker save archive of an image. */
function saved({ layers, config = {}, top = {}, history }: Made): Uint8Array {
  const tars = layers.map((entries) => tarOf(entries));
  const document = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    created: "2020-01-01T00:00:00.5Z",
    config: { Cmd: ["/bin/x"], ...config },
    rootfs: {
      type: "layers",
      diff_ids: tars.map((tar) => `sha256:${hex(tar)}`),
    },
    history: history ?? tars.map((_, i) => ({ created_by: `step ${i + 1}` })),
    ...top,
  });
  return tarOf([
    { name: `${hex(document)}.json`, data: document },
    ...tars.map((tar, i) => ({ name: `${i}.tar`, data: binary(tar) })),
    {
      name: "manifest.json",
      data: JSON.stringify([{
        Config: `${hex(document)}.json`,
        RepoTags: ["isoc/x:1"],
        Layers: tars.map((_, i) => `${i}.tar`),
      }]),
    },
  ]);
}

/** Converts images; gives what is said, the new config and the layers' paths. */
async function convert(images: Made[], args: string[]) {
  await using work = await temporary();
  const files: string[] = [];
  for (const [i, image] of images.entries()) {
    files.push(`${work.path}/${i}.tar`);
    await Deno.writeFile(files[i]!, saved(image));
  }
  const out = `${work.path}/out.isoc`;
  const { code, stderr } = await ciso([
    ...["convert", files[0]!, "-o", out],
    ...args.map((word) => word.replace(/^IMAGE(\d)$/, (_, i) => files[i]!)),
  ]);
  const said = stderr.replaceAll(`${work.path}/`, "");
  // deno-lint-ignore no-explicit-any
  if (code !== 0) return { code, said, config: undefined as any, layers: [] };
  const read = (path: string) => run("tar", ["-xOf", out, path]);
  const [{ Config, Layers }] = JSON.parse(await read("manifest.json"));
  const layers: string[][] = [];
  for (const [i, path] of Layers.entries()) {
    // Of very many layers the last one is enough.
    if (Layers.length > 9 && i < Layers.length - 1) {
      layers.push([]);
      continue;
    }
    await run("tar", ["-C", work.path, "-xf", out, path]);
    const list = await run("tar", ["-tf", `${work.path}/${path}`]);
    layers.push(list.trim().split("\n").sort());
  }
  return { code, said, config: JSON.parse(await read(Config)), layers };
}

const FILE = (name: string): TarEntry => ({ name, data: name });

const THREE: Made = {
  layers: [
    [FILE("a"), FILE("b")],
    [FILE("c"), FILE(".wh.a")],
    [FILE("d"), FILE(".wh.c")],
  ],
  config: { Env: ["PATH=/bin", "SECRET=1"] },
  history: [
    { created_by: "step 1" },
    { created_by: "ENV", empty_layer: true },
    { created_by: "step 2" },
    { created_by: "step 3", comment: "x" },
  ],
};

Deno.test("--squash makes one layer, and keeps config and history", async () => {
  const { code, said, config, layers } = await convert([THREE], ["--squash"]);
  assert.equal(code, 0, said);
  assert.deepEqual(layers, [["b", "d"]]);
  assert.deepEqual(config.config, {
    Cmd: ["/bin/x"],
    Env: ["PATH=/bin", "SECRET=1"],
  });
  assert.equal(config.created, "2020-01-01T00:00:00.5Z");
  assert.deepEqual(config.history, [
    { created_by: "step 1", empty_layer: true },
    { created_by: "ENV", empty_layer: true },
    { created_by: "step 2", empty_layer: true },
    { created_by: "step 3", comment: "x", empty_layer: true },
    {
      created: "2020-01-01T00:00:00Z",
      created_by: "ciso --squash: layers 1 to 3",
    },
  ]);
});

Deno.test("--squash FROM keeps the layers below", async () => {
  for (const args of [["--squash", "2"], ["--squash=2"]]) {
    const { config, layers } = await convert([THREE], args);
    assert.deepEqual(layers, [["a", "b"], [".wh.a", "d"]]);
    assert.deepEqual(
      config.history.map((entry: { empty_layer?: boolean }) =>
        entry.empty_layer === true
      ),
      [false, true, true, true, false],
    );
  }
  const own = await convert([THREE], ["--squash=2", "--history", "by hand"]);
  assert.equal(own.config.history.at(-1).created_by, "by hand");
  const one = await convert([THREE], ["--squash", "3"]);
  assert.match(one.said, /Nothing is squashed: there is one layer from 3 on/);
  assert.equal(one.layers.length, 3);
  for (const from of ["0", "4", "x"]) {
    const { code, said } = await convert([THREE], [`--squash=${from}`]);
    assert.equal(code, 2);
    assert.match(said, /--squash ".": .* the image has 3 layers, and 1 is/);
  }
});

Deno.test("more layers than Docker takes become as many as it takes", async () => {
  const layers = Array.from({ length: 127 }, (_, i) => [FILE(`f${i}`)]);
  const all = await convert([{ layers }], []);
  assert.match(all.said, /has 127 layers, of which Docker takes at most 125/);
  assert.equal(all.layers.length, 125);
  assert.deepEqual(all.layers.at(-1), ["f124", "f125", "f126"]);
  assert.equal(all.config.history.length, 128);
  // Also those that --squash would leave.
  const some = await convert([{ layers }], ["--squash=126"]);
  assert.match(some.said, /has 126 layers, of which Docker takes at most 125/);
  assert.equal(some.layers.length, 125);
});

const OLD: Made = {
  layers: [[FILE("old")]],
  config: {
    Cmd: ["sh"],
    Env: ["PATH=/bin", "BASE=1", "GONE=1"],
    Labels: { base: "old", both: "old" },
    User: "old",
  },
  history: [{ created_by: "old base" }, { created_by: "E", empty_layer: true }],
};
const NEW: Made = {
  layers: [[FILE("new1")], [FILE("new2")]],
  config: {
    Cmd: ["bash"],
    Env: ["PATH=/usr/bin", "BASE=2", "GONE=1", "MORE=1"],
    Labels: { base: "new", both: "new" },
    User: "new",
    StopSignal: "SIGINT",
  },
  history: [{ created_by: "new base" }],
  top: { docker_version: "99" },
};
const APP: Made = {
  layers: [...OLD.layers, [FILE("app")]],
  config: {
    ...OLD.config,
    Cmd: ["/app"],
    Env: ["PATH=/bin", "BASE=1", "APP=1"],
    Labels: { base: "old", both: "app" },
  },
  history: [...OLD.history!, { created_by: "app" }],
};

Deno.test("--rebase puts an image's own layers and settings on another base", async () => {
  const { code, said, config, layers } = await convert(
    [APP, OLD, NEW],
    ["--rebase", "IMAGE1", "IMAGE2"],
  );
  assert.equal(code, 0, said);
  assert.deepEqual(layers, [["new1"], ["new2"], ["app"]]);
  assert.deepEqual(config.config, {
    Cmd: ["/app"],
    Env: ["PATH=/usr/bin", "BASE=2", "MORE=1", "APP=1"],
    Labels: { base: "new", both: "app" },
    User: "new",
    StopSignal: "SIGINT",
  });
  assert.equal(config.docker_version, "99");
  // A history that names too few layers is filled up.
  assert.deepEqual(config.history, [
    { created_by: "new base" },
    {},
    { created_by: "app" },
  ]);
});

Deno.test("--rebase takes a new base without layers, if the image has own ones", async () => {
  const empty: Made = { ...NEW, layers: [], history: [] };
  const onEmpty = await convert(
    [APP, OLD, empty],
    ["--rebase", "IMAGE1", "IMAGE2"],
  );
  assert.equal(onEmpty.code, 0, onEmpty.said);
  assert.deepEqual(onEmpty.layers, [["app"]]);
  assert.equal(onEmpty.config.config.User, "new");
  const nothing = await convert(
    [APP, APP, empty],
    ["--rebase", "IMAGE1", "IMAGE2"],
  );
  assert.equal(nothing.code, 1);
  assert.match(nothing.said, /2\.tar: The image has no layers/);
});

Deno.test("--rebase refuses a base that the image was not made on", async () => {
  const other: Made = { layers: [[FILE("other")]] };
  const wrong = await convert(
    [APP, other, NEW],
    ["--rebase", "IMAGE1", "IMAGE2"],
  );
  assert.equal(wrong.code, 1);
  assert.match(
    wrong.said,
    /^ciso: 0\.tar: It was not made on 1\.tar: layer 1 of it is sha256:\w{64}, where layer 1 of 1\.tar is sha256:\w{64}/,
  );
  const long = await convert([OLD, APP, NEW], ["--rebase", "IMAGE1", "IMAGE2"]);
  assert.match(long.said, /it has only 1 layer, where layer 2 of 1\.tar/);
  const arm = await convert(
    [APP, OLD, { ...NEW, top: { architecture: "arm64" } }],
    ["--rebase", "IMAGE1", "IMAGE2"],
  );
  assert.equal(arm.code, 1);
  assert.match(arm.said, /2\.tar is for linux\/arm64, not for linux\/amd64 as/);
  const half = await convert([APP, OLD], ["--rebase", "IMAGE1"]);
  assert.equal(half.code, 2);
  assert.match(half.said, /Option --rebase needs OLD NEW/);
});

Deno.test("--unset takes away what is named, also what no engine reads", async () => {
  const image: Made = {
    layers: [[FILE("a")]],
    config: {
      Env: ["PATH=/bin", "SECRET=1", "odd"],
      Entrypoint: ["/e"],
      Labels: { a: "1", b: "2" },
      Volumes: { "/data/": {}, "/v": {} },
      ExposedPorts: { "80/TCP": {}, "53/udp": {} },
      User: "a:b:c",
      WorkingDir: "/w",
      StopSignal: "SIGFOO",
      Healthcheck: { Test: ["CMD", "/h"] },
      Hostname: "h",
    },
  };
  const args = [
    ...["env=SECRET", "env=odd", "label=a", "volume=/data", "port=80"],
    ...["entrypoint", "user", "workdir", "stopsignal", "healthcheck"],
  ].map((what) => `--unset=${what}`);
  const { code, said, config } = await convert([image], args);
  assert.doesNotMatch(said, /nothing to take away/);
  assert.equal(code, 0, said);
  assert.deepEqual(config.config, {
    Cmd: ["/bin/x"],
    Env: ["PATH=/bin"],
    Labels: { b: "2" },
    Volumes: { "/v": {} },
    ExposedPorts: { "53/udp": {} },
    Hostname: "h",
  });
  const more = await convert([THREE], [
    ...["--unset", "cmd", "--unset", "label=no", "--unset", "env=SECRET"],
    ...["-e", "SECRET=2", "--", "/bin/y"],
  ]);
  assert.match(more.said, /The image has no label no: there is nothing/);
  assert.deepEqual(more.config.config, {
    Env: ["PATH=/bin", "SECRET=2"],
    Cmd: ["/bin/y"],
  });
  for (const wrong of ["env", "env=", "cmd=x", "foo", "port=x", ""]) {
    const { code, said } = await convert([THREE], [`--unset=${wrong}`]);
    assert.equal(code, 2, said);
    assert.match(said, wrong ? /^ciso: --unset: / : /--unset needs WHAT/);
  }
});
