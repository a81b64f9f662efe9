import assert from "node:assert/strict";
import { imageConfig } from "../../lib/formats/oci_config.ts";
import { readConfig } from "../../lib/read/read_config.ts";
import { FULL, LAYERS, PATH, PLAIN } from "../support/sample_image.ts";

Deno.test("readConfig() is the inverse of imageConfig()", () => {
  const full = {
    ...FULL,
    healthcheck: { ...FULL.healthcheck!, startInterval: 0.5 },
    onBuild: ["RUN make"],
  };
  const text = JSON.stringify(imageConfig(full, LAYERS));
  const { names: _, annotations: __, history: ___, ...fields } = full;
  assert.deepEqual(readConfig(text), {
    ...fields,
    env: [PATH, "GREETING=hi", "EMPTY="],
    exposedPorts: ["53/udp", "8080/tcp"],
    volumes: ["/data", "/var/lib/data"],
  });
  assert.deepEqual(
    imageConfig({ ...PLAIN, ...readConfig(text) }, LAYERS).config,
    imageConfig(full, LAYERS).config,
  );
});

Deno.test("readConfig() reads the config object alone", () => {
  assert.deepEqual(readConfig('{"Cmd":["/bin/sh"],"User":"app"}'), {
    command: ["/bin/sh"],
    user: "app",
  });
  // A field of the document is none of the config object's.
  assert.deepEqual(readConfig('{"author":"Jane","Env":["A=1"]}'), {
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
  assert.deepEqual(readConfig(JSON.stringify(inspected)), {
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
  assert.deepEqual(readConfig(JSON.stringify({ created, config })), {});
  assert.deepEqual(readConfig("{}"), {});
  const health = { Test: ["CMD", "x"], Interval: 0, Retries: 0 };
  assert.deepEqual(readConfig(JSON.stringify({ Healthcheck: health })), {
    healthcheck: { test: ["CMD", "x"] },
  });
});

Deno.test("readConfig() keeps keys that objects have of their own", () => {
  const { labels } = readConfig('{"Labels":{"__proto__":"1","toString":"2"}}');
  assert.deepEqual(Object.entries(labels!), [
    ["__proto__", "1"],
    ["toString", "2"],
  ]);
});

Deno.test("readConfig() refuses what is no image config", () => {
  for (
    const [text, message] of [
      ["", /^The image config is not JSON: it is empty$/],
      ["null", /^The image config is no JSON object$/],
      ['"Cmd"', /^The image config is no JSON object$/],
      ["[]", /^The list has 0 image configs where one is wanted$/],
      ["[{},{}]", /^The list has 2 image configs/],
      ['{"config":[]}', /^config in the image config is not an object$/],
      ['{"Cmd":"/bin/sh"}', /^Cmd .* is not a list of strings$/],
      ['{"Env":[1]}', /^Env .* is not a list of strings$/],
      ['{"User":0}', /^User .* is not a string$/],
      ['{"Labels":{"a":1}}', /^Labels .* is not an object of strings$/],
      ['{"Volumes":["/a"]}', /^Volumes .* is not an object$/],
      [
        '{"Healthcheck":{"Test":["NONE"],"Retries":"3"}}',
        /^Healthcheck\.Retries .* is not a number$/,
      ],
      ['{"config":{},"created":"June"}', /^created .* an RFC 3339 time$/],
    ] as const
  ) {
    assert.throws(
      () => readConfig(text),
      { name: "InputError", message },
      text,
    );
  }
});
