import assert from "node:assert/strict";
import { keepsConfig } from "../../lib/read/kept_config.ts";
import { readConfig } from "../../lib/read/read_config.ts";
import type { Image } from "../../lib/image/image.ts";

const LAYERS = [{ digest: "1".repeat(64), size: 1 }];
const CONFIG = {
  created: "2015-06-07T08:09:10.123456789Z",
  architecture: "arm64",
  os: "linux",
  docker_version: "20.10",
  config: { Cmd: ["a"], Env: ["A=1"], Domainname: "" },
  rootfs: { type: "layers", diff_ids: [`sha256:${"1".repeat(64)}`] },
  history: [{ created_by: "x" }, { created_by: "y", empty_layer: true }],
};

/** Whether an image that was read from a config and then changed keeps it. */
function keeps(
  change: Partial<Image> = {},
  config: object = CONFIG,
  layers = LAYERS,
): boolean {
  const text = JSON.stringify(config);
  const image: Image = {
    names: ["isoc/a"],
    created: 0,
    architecture: "arm64",
    ...readConfig(text),
    baseHistory: CONFIG.history,
    ...change,
  };
  return keepsConfig(text, image, layers);
}

Deno.test("keepsConfig() keeps the config of an image that stays the same", () => {
  assert.equal(keeps(), true);
  assert.equal(keeps({ names: ["isoc/b"] }), true);
  assert.equal(keeps({ annotations: { a: "b" } }), true);
  assert.equal(keeps({}, { ...CONFIG, history: undefined }), false);
});

Deno.test("keepsConfig() gives up the config of an image that has changed", () => {
  assert.equal(keeps({ labels: { a: "b" } }), false);
  assert.equal(keeps({ command: ["b"] }), false);
  assert.equal(keeps({ env: ["A=1", "B=2"] }), false);
  assert.equal(keeps({ created: 1 }), false);
  assert.equal(keeps({ architecture: "amd64" }), false);
  assert.equal(keeps({ variant: "v8" }), false);
  assert.equal(keeps({ baseHistory: undefined }), false);
  const other = [{ digest: "2".repeat(64), size: 1 }];
  assert.equal(keeps({}, CONFIG, other), false);
  assert.equal(keeps({}, CONFIG, [...LAYERS, ...other]), false);
});

Deno.test("keepsConfig() gives up a config that is not whole", () => {
  assert.equal(keeps({}, { ...CONFIG, architecture: undefined }), false);
  assert.equal(keeps({}, { ...CONFIG, os: "" }), false);
  assert.equal(keeps({}, { ...CONFIG, rootfs: undefined }), false);
  const image = { names: ["a"], created: 0, architecture: "arm64" };
  assert.equal(keepsConfig("no JSON", image, LAYERS), false);
});
