import { DescriptionError } from "../../lib/errors/description_error.ts";
import assert from "node:assert/strict";
import { processConfig } from "../../lib/formats/process_config.ts";
import { FULL, PATH, PLAIN } from "../support/sample_image.ts";

Deno.test("processConfig() maps every field", () => {
  const config = processConfig(FULL);
  assert.deepEqual(config, {
    User: "1000:1001",
    ExposedPorts: { "53/udp": {}, "8080/tcp": {} },
    Env: [PATH, "GREETING=hi", "EMPTY="],
    Entrypoint: ["/bin/busybox"],
    Cmd: ["echo", "make container not war"],
    Healthcheck: {
      Test: ["CMD", "/bin/true"],
      Interval: 5_000_000_000,
      Timeout: 500_000_000,
      StartPeriod: 1_250_000_000,
      Retries: 2,
    },
    Volumes: { "/data": {}, "/var/lib/data": {} },
    WorkingDir: "/srv/work",
    Labels: { "a__b": "1", "org.example.Team_name": "blue" },
    StopSignal: "SIGINT",
    Shell: ["/bin/sh", "-ec"],
  });
  assert.deepEqual(Object.keys(config.Labels!), [
    "a__b",
    "org.example.Team_name",
  ]);
});

Deno.test("processConfig() leaves out what is not set or empty", () => {
  assert.deepEqual(processConfig(PLAIN), { Env: [PATH] });
  assert.deepEqual(
    processConfig({
      ...PLAIN,
      user: "",
      labels: {},
      volumes: [],
      exposedPorts: [],
      entrypoint: [],
      command: [],
      workdir: "",
      stopSignal: "",
      shell: [],
    }),
    { Env: [PATH] },
  );
});

Deno.test("processConfig() takes a health check that only switches off", () => {
  const image = { ...PLAIN, healthcheck: { test: ["NONE"], interval: 0 } };
  assert.deepEqual(processConfig(image).Healthcheck, {
    Test: ["NONE"],
    Interval: 0,
  });
});

Deno.test("processConfig() refuses malformed fields", () => {
  const malformed = [
    { healthcheck: { test: [] } },
    { healthcheck: { test: ["curl", "x"] } },
    { workdir: "srv" },
    { volumes: ["data"] },
    { exposedPorts: ["http"] },
    { env: ["A"] },
  ];
  for (const fields of malformed) {
    assert.throws(
      () => processConfig({ ...PLAIN, ...fields }),
      DescriptionError,
    );
  }
});

Deno.test("processConfig() refuses times that Docker refuses", () => {
  const test = ["CMD-SHELL", "true"];
  for (const time of [-1, 0.0009, NaN, Infinity, 1e10]) {
    for (const field of ["interval", "timeout", "startPeriod"]) {
      const healthcheck = { test, [field]: time };
      assert.throws(
        () => processConfig({ ...PLAIN, healthcheck }),
        DescriptionError,
      );
    }
  }
  for (const retries of [-1, 1.5]) {
    const healthcheck = { test, retries };
    assert.throws(
      () => processConfig({ ...PLAIN, healthcheck }),
      DescriptionError,
    );
  }
});

Deno.test("processConfig() takes what newer and older Dockers know", () => {
  const healthcheck = { test: ["NONE"], startInterval: 0.25 };
  const onBuild = ["RUN make"];
  const config = processConfig({ ...PLAIN, healthcheck, onBuild });
  assert.deepEqual(config.Healthcheck, {
    Test: ["NONE"],
    StartInterval: 250_000_000,
  });
  assert.deepEqual(config.OnBuild, onBuild);
});

Deno.test("processConfig() writes a signal in OCI's form", () => {
  assert.equal(
    processConfig({ ...PLAIN, stopSignal: "hup" }).StopSignal,
    "SIGHUP",
  );
  assert.throws(() => processConfig({ ...PLAIN, stopSignal: "SIGFOO" }), {
    name: "DescriptionError",
    message: /Stop signal "SIGFOO" is no signal/,
  });
});
