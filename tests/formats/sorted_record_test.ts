import assert from "node:assert/strict";
import { sortedRecord } from "../../lib/formats/sorted_record.ts";

Deno.test("sortedRecord() orders keys by code unit", () => {
  const record = sortedRecord([["é", 1], ["b", 2], ["B", 3], ["a", 4]]);
  assert.deepEqual(Object.keys(record), ["B", "a", "b", "é"]);
});

Deno.test("sortedRecord() keeps the last of equal keys", () => {
  assert.deepEqual(sortedRecord([["a", 1], ["a", 2]]), { a: 2 });
});

Deno.test("sortedRecord() takes any key", () => {
  const text = JSON.stringify(sortedRecord([["__proto__", "x"]]));
  assert.equal(text, '{"__proto__":"x"}');
});
