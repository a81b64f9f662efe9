import assert from "node:assert/strict";
import { lxdMetadata, unsupportedByLxd } from "../../lib/formats/lxd.ts";
import { FULL, PLAIN } from "../support/sample_image.ts";

Deno.test("lxdMetadata() maps every field it can", () => {
  assert.deepEqual(lxdMetadata(FULL), {
    architecture: "armv6l",
    creation_date: 1433851200,
    properties: {
      "Foo Bar": "q",
      a__b: "1",
      architecture: "arm",
      author: "Jane <jane@example.com>",
      created: "2015-06-09T12:00:00Z",
      "created-2": "by me",
      description: "isoc/hello:1.0",
      name: "isoc/hello",
      "org.example.Team_name": "blue",
      os: "linux",
      variant: "v6",
      version: "1.0",
    },
  });
});

Deno.test("lxdMetadata() has a date above zero", () => {
  assert.equal(lxdMetadata({ ...PLAIN, created: 0 }).creation_date, 1);
  assert.equal(lxdMetadata({ ...PLAIN, created: 7.9 }).creation_date, 7);
});

Deno.test("lxdMetadata() keeps Go's name where LXD has none", () => {
  const image = { ...PLAIN, architecture: "wasm" };
  assert.equal(lxdMetadata(image).architecture, "wasm");
  assert.deepEqual(unsupportedByLxd(image), ["architecture"]);
});

Deno.test("lxdMetadata() marks an application container for Incus", () => {
  const labels = { type: "mine" };
  const { properties } = lxdMetadata({ ...PLAIN, labels }, {
    application: true,
  });
  assert.equal(properties.type, "oci");
  assert.equal(properties["type-2"], "mine");
  assert.equal(lxdMetadata({ ...PLAIN, labels }).properties.type, "mine");
});

Deno.test("unsupportedByLxd() names what tells how to run", () => {
  assert.deepEqual(unsupportedByLxd(PLAIN), []);
  assert.deepEqual(unsupportedByLxd(FULL), [
    "names",
    "command",
    "entrypoint",
    "env",
    "workdir",
    "user",
    "exposedPorts",
    "volumes",
    "stopSignal",
    "healthcheck",
    "shell",
    "history",
  ]);
});
