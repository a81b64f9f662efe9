import assert from "node:assert/strict";
import { imageConfig } from "../../lib/formats/oci_config.ts";
import { readConfig, readWholeConfig } from "../../lib/read/read_config.ts";
import { FULL, LAYERS, PATH, PLAIN } from "../support/sample_image.ts";

Deno.test("readConfig() is the inverse of imageConfig()", () => {
  const full = {
    ...FULL,
    healthcheck: { ...FULL.healthcheck!, startInterval: 0.5 },
    onBuild: ["RUN make"],
  };
  const text = JSON.stringify(imageConfig(full, LAYERS));
  const { names: _, annotations: __, history: ___, ...fields } = full;
  assert.deepEqual(readConfig(text).fields, {
    ...fields,
    env: [PATH, "GREETING=hi", "EMPTY="],
    exposedPorts: ["53/udp", "8080/tcp"],
    volumes: ["/data", "/var/lib/data"],
  });
  assert.deepEqual(
    imageConfig({
      ...readConfig(text).fields,
      names: PLAIN.names,
      created: full.created,
      architecture: full.architecture,
    }, LAYERS).config,
    imageConfig(full, LAYERS).config,
  );
});

Deno.test("readConfig() reads the config object alone", () => {
  assert.deepEqual(readConfig('{"Cmd":["/bin/sh"],"User":"app"}').fields, {
    command: ["/bin/sh"],
    user: "app",
  });
  // A field of the document is not one of the config object's.
  assert.deepEqual(readConfig('{"author":"Jane","Env":["A=1"]}').fields, {
    env: ["A=1"],
  });
});

Deno.test("readConfig() reads what docker inspect prints", () => {
  const inspected = [{
    Id: "sha256:0",
    Created: "2015-06-09T14:00:00.987654321+02:00",
    Author: "Jane",
    Architecture: "arm",
    Variant: "v6",
    Os: "linux",
    ContainerConfig: { Cmd: ["/bin/false"] },
    Config: { Hostname: "x", Cmd: ["/bin/true"], Tty: false },
  }];
  assert.deepEqual(readConfig(JSON.stringify(inspected)).fields, {
    command: ["/bin/true"],
    author: "Jane",
    created: 1433851200,
    os: "linux",
    architecture: "arm",
    variant: "v6",
  });
});

Deno.test("readConfig() takes what is empty for what is not set", () => {
  const config = {
    Cmd: null,
    Entrypoint: [],
    Env: null,
    WorkingDir: "",
    User: "",
    Labels: {},
    ExposedPorts: {},
    Volumes: null,
    StopSignal: "",
    Healthcheck: { Interval: 1e9 },
    Shell: [],
  };
  const created = "0001-01-01T00:00:00Z";
  assert.deepEqual(readConfig(JSON.stringify({ created, config })).fields, {});
  assert.deepEqual(readConfig("{}").fields, {});
  const health = { Test: ["CMD", "x"], Interval: 0, Retries: 0 };
  assert.deepEqual(readConfig(JSON.stringify({ Healthcheck: health })).fields, {
    healthcheck: { test: ["CMD", "x"] },
  });
});

Deno.test("readConfig() keeps keys that objects have of their own", () => {
  const { labels } =
    readConfig('{"Labels":{"__proto__":"1","toString":"2"}}').fields;
  assert.deepEqual(Object.entries(labels!), [
    ["__proto__", "1"],
    ["toString", "2"],
  ]);
});

Deno.test("readConfig() refuses what is no image config", () => {
  const name = "The image config";
  for (
    const [text, message] of [
      ["", `${name} is not JSON: it is empty`],
      ["null", `${name} is null, but must be an object`],
      ['"Cmd"', `${name} is a string, but must be an object`],
      ["[]", `${name} is a list of 0 image configs where one is wanted`],
      ["[{},{}]", `${name} is a list of 2 image configs where one is wanted`],
      ['{"config":[]}', `${name}: config is a list, but must be an object`],
      [
        `{"config":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
        `${name} has lists and objects more than 100 levels deep`,
      ],
    ] as const
  ) {
    assert.throws(
      () => readConfig(text),
      { name: "InputError", message },
      text.slice(0, 50),
    );
  }
});

Deno.test("readConfig() lists fields that no engine reads", () => {
  const is = "The image config: config.";
  for (
    const [config, field, message] of [
      [{ Cmd: 5 }, "command", "Cmd is the number 5, but must be a list"],
      [{ Cmd: [5] }, "command", "Cmd[0] is the number 5, but must be a string"],
      [{ Env: {} }, "env", "Env is an object, but must be a list"],
      [{ User: 0 }, "user", "User is the number 0, but must be a string"],
      [
        { Labels: { constructor: 5 } },
        "labels",
        "Labels.constructor is the number 5, but must be a string",
      ],
      [{ Labels: [] }, "labels", "Labels is a list, but must be an object"],
      [{ Volumes: [] }, "volumes", "Volumes is a list, but must be an object"],
      [
        { ExposedPorts: [] },
        "exposedPorts",
        "ExposedPorts is a list, but must be an object",
      ],
      [
        { Healthcheck: { Test: "x" } },
        "healthcheck",
        "Healthcheck.Test is a string, but must be a list",
      ],
      [
        { Healthcheck: { Retries: true } },
        "healthcheck",
        "Healthcheck.Retries is the boolean true, but must be a whole number",
      ],
      [{ OnBuild: "x" }, "onBuild", "OnBuild is a string, but must be a list"],
    ] as const
  ) {
    const { faults, fields } = readConfig(JSON.stringify({ config }));
    assert.deepEqual(faults, [{ field, message: is + message }]);
    assert.deepEqual(fields, {});
  }
  const { faults } = readConfig('{"config":{},"author":5,"created":[]}');
  assert.deepEqual(faults.map(({ field }) => field), ["author", "created"]);
});

Deno.test("readConfig() takes what Docker takes, and lists what others cannot", () => {
  const read = (config: object) => {
    const { fields, oddities, faults } = readConfig(JSON.stringify({ config }));
    assert.deepEqual(faults, []);
    return { ...fields, odd: oddities.map(({ field }) => field) };
  };
  assert.deepEqual(read({ Cmd: "a b" }), { command: ["a b"], odd: [] });
  assert.deepEqual(read({ cmd: ["a"] }), { command: ["a"], odd: [] });
  assert.deepEqual(read({ Entrypoint: [""] }), { odd: [] });
  assert.deepEqual(read({ Env: ["A=1", "B", "", "=x", "C=\0"] }), {
    env: ["A=1"],
    odd: ["env"],
  });
  assert.deepEqual(
    read({
      ExposedPorts: {
        "80/TCP": {},
        "8000-8002": {},
        "0/tcp": {},
        "http/tcp": {},
        "80": {},
      },
    }),
    { exposedPorts: ["80/tcp", "8000-8002/tcp"], odd: ["exposedPorts"] },
  );
  assert.deepEqual(read({ WorkingDir: "app" }), {
    workdir: "/app",
    odd: ["workdir"],
  });
  for (const [given, path] of [[".", "/"], ["./a/b", "/a/b"], [".a", "/.a"]]) {
    assert.equal(read({ WorkingDir: given }).workdir, path);
  }
  assert.deepEqual(read({ Volumes: { "": {}, data: {}, "/data": {} } }), {
    volumes: ["/data"],
    odd: ["volumes"],
  });
  assert.deepEqual(read({ StopSignal: "SIGFOO" }), { odd: ["stopSignal"] });
  assert.deepEqual(read({ User: "a:b:c" }), { odd: ["user"] });
  assert.deepEqual(read({ Labels: { a: null } }), {
    labels: { a: "" },
    odd: [],
  });
});

Deno.test("readConfig() gives platforms the names that engines know", () => {
  const read = (document: object) =>
    readConfig(JSON.stringify({ config: {}, ...document })).fields;
  for (
    const [architecture, given, found] of [
      ["x86_64", undefined, { architecture: "amd64" }],
      ["AArch64", undefined, { architecture: "arm64" }],
      ["armhf", undefined, { architecture: "arm", variant: "v7" }],
      ["arm", "7", { architecture: "arm", variant: "v7" }],
      ["constructor", undefined, { architecture: "constructor" }],
    ] as const
  ) {
    assert.deepEqual(
      read({ architecture, os: "Linux", variant: given }),
      { os: "linux", ...found },
    );
  }
});

Deno.test("readConfig() passes over a time that is none", () => {
  for (const created of ["", "June", "2015-13-01T00:00:00Z"]) {
    const { fields, faults } = readConfig(
      JSON.stringify({ created, config: {} }),
    );
    assert.deepEqual([fields, faults], [{}, []]);
  }
});

Deno.test("readWholeConfig() wants a config of these layers", () => {
  const id = `sha256:${"1".repeat(64)}`;
  const text = (more: object) =>
    JSON.stringify({ rootfs: { diff_ids: [id] }, ...more });
  const { diffIds, notes } = readWholeConfig(text({}), 1, "x");
  assert.deepEqual([diffIds, notes], [["1".repeat(64)], []]);
  assert.throws(
    () => readWholeConfig(text({}), 2, "x"),
    /^InputError: The image has 2 layers, but its config lists 1$/,
  );
  assert.throws(
    () => readWholeConfig(text({ history: [null] }), 1, "x"),
    /^InputError: x: history\[0\] is null, but must be an object$/,
  );
  assert.throws(
    () => readWholeConfig('{"rootfs":{"diff_ids":["md5:1"]}}', 1, "x"),
    /^InputError: x: rootfs.diff_ids\[0\] is "md5:1", but must be sha256: and/,
  );
  for (
    const [more, message] of [
      [{ config: { Tty: "x" } }, "config.Tty is a string, but must be true or"],
      [
        { config: { StopTimeout: 1.5 } },
        "config.StopTimeout is the number 1.5",
      ],
      [{ config: { ArgsEscaped: 1 } }, "config.ArgsEscaped is the number 1"],
      [{ container_config: 5 }, "container_config is the number 5"],
      [{ "os.features": "x" }, "os.features is a string, but must be a list"],
      [{ id: 5 }, "id is the number 5, but must be a string"],
    ] as const
  ) {
    assert.throws(
      () => readWholeConfig(text(more), 1, "x"),
      (error: Error) => error.message.startsWith(`x: ${message}`),
    );
  }
  const history = [{}, { empty_layer: true }, {}];
  assert.match(
    readWholeConfig(text({ history }), 1, "x").notes.join(),
    /^The image's history is left out: it names 2 layers where there are 1/,
  );
});
