import assert from "node:assert/strict";
import { unsupported } from "../../lib/formats/unsupported.ts";
import { FULL, PLAIN } from "../support/sample_image.ts";

Deno.test("unsupported() asks the format", () => {
  assert.deepEqual(unsupported(FULL, "oci"), []);
  assert.deepEqual(unsupported(FULL, "docker"), ["annotations"]);
  assert.deepEqual(unsupported(FULL, "docker-v1"), ["annotations"]);
  assert.ok(unsupported(FULL, "appc").includes("healthcheck"));
  assert.ok(unsupported(FULL, "bundle").includes("volumes"));
});

Deno.test("unsupported() knows that a bundle makes Incus run the process", () => {
  assert.ok(unsupported(FULL, "lxd", ["docker", "lxd"]).includes("env"));
  assert.ok(!unsupported(FULL, "lxd", ["bundle", "lxd"]).includes("env"));
  assert.ok(!unsupported(FULL, "lxd").includes("env"));
});

Deno.test("unsupported() finds nothing in a plain image", () => {
  for (
    const format of [
      "appc",
      "docker",
      "docker-v1",
      "oci",
      "bundle",
      "lxd",
    ] as const
  ) assert.deepEqual(unsupported(PLAIN, format), [], format);
});
