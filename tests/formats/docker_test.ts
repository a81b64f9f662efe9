import assert from "node:assert/strict";
import {
  dockerManifest,
  unsupportedByDocker,
} from "../../lib/formats/docker.ts";
import { FULL, LAYERS, PLAIN } from "../support/sample_image.ts";

Deno.test("dockerManifest() lists all names and layers", () => {
  assert.deepEqual(dockerManifest(FULL, LAYERS, "c".repeat(64)), [{
    Config: `blobs/sha256/${"c".repeat(64)}`,
    RepoTags: [
      "isoc/hello:1.0",
      "isoc/hello:latest",
      "localhost:5000/app/hello:1.0",
    ],
    Layers: [
      `blobs/sha256/${"a".repeat(64)}`,
      `blobs/sha256/${"b".repeat(64)}`,
    ],
  }]);
});

Deno.test("unsupportedByDocker() names annotations", () => {
  assert.deepEqual(unsupportedByDocker(FULL), ["annotations"]);
  assert.deepEqual(unsupportedByDocker(PLAIN), []);
});
