import assert from "node:assert/strict";
import { freeName } from "../../../lib/formats/values/free_name.ts";

Deno.test("freeName() counts up until a name is free", () => {
  const taken = new Set(["a"]);
  assert.deepEqual(
    ["a", "b", "a", "a-2"].map((name) => freeName(name, taken)),
    ["a-2", "b", "a-3", "a-2-2"],
  );
});
