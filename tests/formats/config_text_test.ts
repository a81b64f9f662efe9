import assert from "node:assert/strict";
import { configText, processObject } from "../../lib/formats/config_text.ts";
import type { Image } from "../../lib/image/image.ts";
import { readConfig } from "../../lib/read/read_config.ts";

const LAYERS = [{ digest: "1".repeat(64), size: 1 }];
const CONFIG = {
  created: "2015-06-07T08:09:10.123456789+02:00",
  author: "Jane",
  comment: "by hand",
  architecture: "arm64",
  os: "linux",
  "os.version": "1",
  "os.features": ["x"],
  unknown: { a: null },
  config: {
    Hostname: "",
    Cmd: ["a"],
    Entrypoint: null,
    Env: ["A=1", "B", "A=2"],
    ArgsEscaped: true,
    Healthcheck: { Interval: 5 },
    Labels: { l: "1" },
    ExposedPorts: { "8000-8002/TCP": {}, http: {} },
    Volumes: { data: {} },
    WorkingDir: "app",
    Own: 1,
  },
  rootfs: { type: "layers", diff_ids: [`sha256:${"1".repeat(64)}`] },
  history: [
    { created_by: "x", extra: 1 },
    { created_by: "y", empty_layer: true },
  ],
};

/** The image that was made from one with that config, changed. */
function imageOf(text: string, change: Partial<Image> = {}): Image {
  const { fields, oddities, faults } = readConfig(text);
  return {
    ...fields,
    names: ["isoc/a"],
    created: fields.created ?? 0,
    architecture: fields.architecture ?? "arm64",
    base: { fields, oddities, faults, config: text },
    ...change,
  };
}

/** The new config, for changes of the image and other fields in the old one. */
function made(
  change: Partial<Image> = {},
  config: object = {},
  layers = LAYERS,
) {
  const text = JSON.stringify({ ...CONFIG, ...config });
  return JSON.parse(configText(imageOf(text, change), layers));
}

/** The new `config` object; `undefined` means a field that is gone. */
function process(change: Partial<Image>, config: object = {}) {
  return made(change, { config: { ...CONFIG.config, ...config } }).config;
}

Deno.test("configText() keeps a config byte for byte where nothing changes", () => {
  const text = ` ${JSON.stringify(CONFIG, null, 3)}\n`;
  for (const change of [{}, { names: ["b"] }, { annotations: { a: "b" } }]) {
    assert.equal(configText(imageOf(text, change), LAYERS), text);
  }
});

Deno.test("configText() changes one field and keeps all others", () => {
  const { config, ...outer } = CONFIG;
  for (
    const [change, changed] of [
      [{ command: ["b"] }, { Cmd: ["b"] }],
      [{ command: undefined }, { Cmd: undefined }],
      [{ entrypoint: ["e"] }, { Entrypoint: ["e"] }],
      [{ user: "5" }, { User: "5" }],
      [{ workdir: "/srv" }, { WorkingDir: "/srv" }],
      [{ stopSignal: "int" }, { StopSignal: "SIGINT" }],
      [{ shell: ["sh"] }, { Shell: ["sh"] }],
      [{ onBuild: ["RUN x"] }, { OnBuild: ["RUN x"] }],
      [{ env: ["A=3", "C=4"] }, { Env: ["A=3", "B", "C=4"] }],
      [{ env: ["A=2", "B=5"] }, { Env: ["A=2", "B=5"] }],
      [{ labels: { l: "1", constructor: "x" } }, {
        Labels: { l: "1", constructor: "x" },
      }],
      [{ labels: {} }, { Labels: {} }],
      [{ exposedPorts: ["8000-8002/tcp", "53-54/udp"] }, {
        ExposedPorts: {
          "8000-8002/TCP": {},
          http: {},
          "53/udp": {},
          "54/udp": {},
        },
      }],
      [{ exposedPorts: [] }, { ExposedPorts: { http: {} } }],
      [{ volumes: ["/data", "/more"] }, { Volumes: { data: {}, "/more": {} } }],
      [{ volumes: [] }, { Volumes: {} }],
      [{ healthcheck: { test: ["CMD", "x"], interval: 1 } }, {
        Healthcheck: { Interval: 1e9, Test: ["CMD", "x"] },
      }],
    ] as [Partial<Image>, object][]
  ) {
    const { config: found, ...rest } = made(change);
    assert.deepEqual(
      found,
      JSON.parse(JSON.stringify({ ...config, ...changed })),
      JSON.stringify(change),
    );
    assert.deepEqual(rest, outer);
  }
  assert.deepEqual(made({ author: "Joe" }), { ...CONFIG, author: "Joe" });
  assert.deepEqual(made({ created: 5 }), {
    ...CONFIG,
    created: "1970-01-01T00:00:05Z",
  });
  assert.deepEqual(made({ architecture: "arm", variant: "v7" }), {
    ...CONFIG,
    architecture: "arm",
    variant: "v7",
  });
});

Deno.test("configText() adds nothing that nobody asked for", () => {
  const bare = {
    architecture: "arm64",
    os: "linux",
    config: { Cmd: [], Env: null },
    rootfs: CONFIG.rootfs,
  };
  const text = JSON.stringify(bare);
  assert.equal(configText(imageOf(text), LAYERS), text);
  assert.deepEqual(
    JSON.parse(configText(imageOf(text, { user: "1" }), LAYERS)),
    { ...bare, config: { ...bare.config, User: "1" } },
  );
  const none = JSON.stringify({ ...bare, config: undefined });
  assert.equal(configText(imageOf(none), LAYERS), none);
});

Deno.test("configText() keeps numbers that JavaScript cannot hold", () => {
  const text = JSON.stringify(CONFIG).replace(
    '"Own":1',
    '"Own":12345678901234567890,"Float":1.0,"Text":"#1.0","E":1e5',
  );
  const changed = configText(imageOf(text, { user: "1" }), LAYERS);
  assert.ok(changed.includes(
    '"Own":12345678901234567890,"Float":1.0,"Text":"#1.0","E":1e5',
  ));
});

Deno.test("configText() keeps parts of a health check", () => {
  const Healthcheck = { Test: ["odd"], Interval: 1, Retries: 3, Own: 1 };
  const fields = imageOf(JSON.stringify({ config: { Healthcheck } }));
  assert.deepEqual(
    process(
      { healthcheck: { ...fields.healthcheck!, timeout: 2 } },
      { Healthcheck },
    ).Healthcheck,
    { ...Healthcheck, Timeout: 2e9 },
  );
  assert.deepEqual(
    process({ healthcheck: { test: ["NONE"] } }, { Healthcheck }).Healthcheck
      .Test,
    ["NONE"],
  );
});

Deno.test("configText() mends what Docker or others would refuse", () => {
  for (const created of ["", "June", "2015-06-07"]) {
    const { created: gone, ...rest } = made({}, { created });
    assert.equal(gone, undefined);
    assert.equal(rest.author, "Jane");
  }
  assert.equal(
    made({}, { created: "2015-06-07t08:09:10.5z" }).created,
    "2015-06-07T08:09:10.5Z",
  );
  assert.equal(
    made({}, { created: "0001-01-01T00:00:00Z" }).created,
    "0001-01-01T00:00:00Z",
  );
  const history = [{ created: "", created_by: "x" }];
  assert.deepEqual(made({}, { history }).history, [{ created_by: "x" }]);
  assert.equal(made({}, { history: [{}, {}] }).history, undefined);
  assert.deepEqual(process({}, { Cmd: "a b", Entrypoint: "e" }), {
    ...CONFIG.config,
    Cmd: ["a b"],
    Entrypoint: ["e"],
  });
  const { architecture, os } = made({}, {
    architecture: "AARCH64",
    os: "Linux",
  });
  assert.deepEqual([architecture, os], ["arm64", "linux"]);
});

Deno.test("configText() replaces what no engine reads", () => {
  const mended = process(
    { command: ["a"], env: ["A=1"], labels: { a: "b" }, user: "1" },
    { Cmd: 5, Env: [5], Labels: { x: 5 }, User: {} },
  );
  assert.deepEqual(
    [mended.Cmd, mended.Env, mended.Labels, mended.User],
    [["a"], ["A=1"], { a: "b" }, "1"],
  );
});

Deno.test("configText() finds fields in any case, as Go does", () => {
  const text = JSON.stringify({
    Architecture: "arm64",
    OS: "linux",
    Config: { cmd: ["a"] },
    RootFS: { DIFF_IDS: CONFIG.rootfs.diff_ids },
  });
  assert.equal(configText(imageOf(text), LAYERS), text);
  assert.equal(
    configText(imageOf(text, { command: ["b"] }), LAYERS),
    `${text.replace('["a"]', '["b"]')}\n`,
  );
});

Deno.test("configText() gives new layers their history", () => {
  const layers = [...LAYERS, { digest: "2".repeat(64), size: 1 }];
  const { rootfs, history } = made({ created: 5, history: "h" }, {}, layers);
  assert.deepEqual(rootfs, {
    type: "layers",
    diff_ids: layers.map(({ digest }) => `sha256:${digest}`),
  });
  const added = {
    created: "1970-01-01T00:00:05Z",
    author: "Jane",
    created_by: "h",
  };
  assert.deepEqual(history, [...CONFIG.history, added]);
  // A layer that was settled is no new one.
  const settled = [{ digest: "3".repeat(64), size: 1 }];
  assert.deepEqual(made({}, {}, settled).history, CONFIG.history);
  // Entries belong to layers in their order, so none may be missing below.
  assert.deepEqual(
    made({ created: 5, history: "h" }, { history: undefined }, layers).history,
    [added, added],
  );
});

Deno.test("processObject() is what configText() has", () => {
  const image = imageOf(JSON.stringify(CONFIG), { user: "7" });
  assert.deepEqual(processObject(image), { ...CONFIG.config, User: "7" });
});
