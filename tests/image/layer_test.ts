import assert from "node:assert/strict";
import { checkLayerCount, MAX_LAYERS } from "../../lib/image/layer.ts";
import { readWholeConfig } from "../../lib/read/read_config.ts";

Deno.test("checkLayerCount() takes what engines take, and far more", () => {
  checkLayerCount(127);
  checkLayerCount(MAX_LAYERS);
  assert.throws(() => checkLayerCount(MAX_LAYERS + 1), {
    name: "InputError",
    message: /has 2001 layers: ciso takes at most 2000, and engines 127/,
  });
});

Deno.test("an image of too many layers is refused before a layer is opened", () => {
  const count = 10_000;
  const config = JSON.stringify({
    rootfs: { type: "layers", diff_ids: Array(count).fill("sha256:12") },
  });
  assert.throws(() => readWholeConfig(config, count), /has 10000 layers/);
});
