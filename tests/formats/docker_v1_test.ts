import { createHash } from "node:crypto";
import assert from "node:assert/strict";
import {
  repositories,
  unsupportedByDockerV1,
  v1Chain,
  v1Json,
} from "../../lib/formats/docker_v1.ts";
import { processConfig } from "../../lib/formats/process_config.ts";
import { FULL, LAYERS, PATH, PLAIN } from "../support/sample_image.ts";

const [LOWER, UPPER] = LAYERS as [typeof LAYERS[0], typeof LAYERS[0]];

Deno.test("v1Json() describes one layer", () => {
  assert.deepEqual(v1Json(FULL, UPPER, LOWER.digest), {
    id: UPPER.digest,
    parent: LOWER.digest,
    created: "2015-06-09T12:00:00Z",
    container_config: { Cmd: ["made by hand"] },
    author: "Jane <jane@example.com>",
    config: processConfig(FULL),
    architecture: "arm",
    variant: "v6",
    os: "linux",
    Size: 2048,
  });
});

Deno.test("v1Json() leaves out what is not set", () => {
  assert.deepEqual(v1Json(PLAIN, LOWER), {
    id: LOWER.digest,
    created: "1970-01-01T00:00:00Z",
    config: { Env: [PATH] },
    architecture: "amd64",
    os: "linux",
    Size: 1024,
  });
});

Deno.test("v1Chain() gives the same layer on another parent another ID", () => {
  const [a, b] = ["a".repeat(64), "b".repeat(64)];
  assert.deepEqual(v1Chain([]), []);
  const [low, middle, top, ...more] = v1Chain([a, b, b]);
  assert.deepEqual(more, []);
  assert.deepEqual(low, { id: a, digest: a });
  const id = createHash("sha256").update(`${a} ${b}`).digest("hex");
  assert.deepEqual(middle, { id, digest: b, parent: a });
  assert.equal(top?.parent, id);
  assert.notEqual(top?.id, id);
});

Deno.test("repositories() gathers the tags of each name", () => {
  const names = ["isoc/hello:1.0", "hello", "isoc/hello", "host:5000/x:2"];
  assert.equal(
    JSON.stringify(repositories({ ...PLAIN, names }, "id")),
    '{"hello":{"latest":"id"},"host:5000/x":{"2":"id"},' +
      '"isoc/hello":{"1.0":"id","latest":"id"}}',
  );
});

Deno.test("unsupportedByDockerV1() names annotations", () => {
  assert.deepEqual(unsupportedByDockerV1(FULL), ["annotations"]);
  assert.deepEqual(unsupportedByDockerV1(PLAIN), []);
});
