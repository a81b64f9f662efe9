import assert from "node:assert/strict";
import { imageConfig } from "../../lib/formats/oci_config.ts";
import { processConfig } from "../../lib/formats/process_config.ts";
import { FULL, LAYERS, PATH, PLAIN } from "../support/sample_image.ts";

Deno.test("imageConfig() says everything", () => {
  const made = {
    created: "2015-06-09T12:00:00Z",
    author: "Jane <jane@example.com>",
  };
  const entry = { ...made, created_by: "made by hand" };
  assert.deepEqual(imageConfig(FULL, LAYERS), {
    ...made,
    architecture: "arm",
    variant: "v6",
    os: "linux",
    config: processConfig(FULL),
    rootfs: {
      type: "layers",
      diff_ids: [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`],
    },
    history: [entry, entry],
  });
});

Deno.test("imageConfig() leaves out what is not set", () => {
  assert.deepEqual(imageConfig(PLAIN, []), {
    created: "1970-01-01T00:00:00Z",
    architecture: "amd64",
    os: "linux",
    config: { Env: [PATH] },
    rootfs: { type: "layers", diff_ids: [] },
    history: [],
  });
});

Deno.test("imageConfig() does not depend on the order of labels", () => {
  const text = (labels: Record<string, string>) =>
    JSON.stringify(imageConfig({ ...PLAIN, labels }, LAYERS));
  assert.equal(text({ a: "1", b: "2" }), text({ b: "2", a: "1" }));
});
