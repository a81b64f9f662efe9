import assert from "node:assert/strict";
import { rfc3339 } from "../lib/formats/rfc3339.ts";

Deno.test("rfc3339() writes UTC", () => {
  assert.equal(rfc3339(0), "1970-01-01T00:00:00Z");
  assert.equal(rfc3339(1433851200), "2015-06-09T12:00:00Z");
  assert.equal(rfc3339(-1), "1969-12-31T23:59:59Z");
});

Deno.test("rfc3339() keeps milliseconds", () => {
  assert.equal(rfc3339(0.5), "1970-01-01T00:00:00.5Z");
  assert.equal(rfc3339(10.001), "1970-01-01T00:00:10.001Z");
  assert.equal(rfc3339(1.005), "1970-01-01T00:00:01.005Z");
});

Deno.test("rfc3339() refuses what it cannot write", () => {
  assert.equal(rfc3339(253402300799), "9999-12-31T23:59:59Z");
  assert.equal(rfc3339(-62167219200), "0000-01-01T00:00:00Z");
  for (const seconds of [253402300800, -62167219201, NaN, Infinity]) {
    assert.throws(() => rfc3339(seconds), RangeError);
  }
});
