import assert from "node:assert/strict";
import { absolutePath } from "../../../lib/formats/values/path.ts";

Deno.test("absolutePath() gives the path back", () => {
  assert.equal(absolutePath("Volume", "/a b/../c"), "/a b/../c");
});

Deno.test("absolutePath() names what is wrong", () => {
  assert.throws(() => absolutePath("Volume", "data"), {
    name: "DescriptionError",
    message: 'Volume "data" is not absolute: start it with "/"',
  });
  assert.throws(() => absolutePath("Volume", "/a\0b"), {
    name: "DescriptionError",
    message: /NUL/,
  });
});
