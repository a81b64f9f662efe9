import assert from "node:assert/strict";
import { ascii, binary } from "../../lib/streams/bytes.ts";
import { treePath } from "../../lib/rootfs/tree_path.ts";

/** Longest path that Linux takes after `rootfs/`. */
const LONGEST = 4095 - "rootfs/".length;

Deno.test("treePath() brings all spellings of a path to one", () => {
  assert.equal(binary(treePath(ascii("./a//b/"))), "a/b");
  assert.equal(treePath(ascii("./")).length, 0);
});

Deno.test("treePath() refuses a path that Linux does not take below rootfs/", () => {
  const path = "nn/".repeat(2000).slice(0, LONGEST);
  assert.equal(treePath(ascii(path)).length, LONGEST);
  assert.throws(() => treePath(ascii(`n/${path}`)), {
    name: "InputError",
    message: /The path is 4090 bytes long; .*rename directories above it/,
  });
  assert.throws(() => treePath(ascii("a/../b")), /climbs with/);
});
