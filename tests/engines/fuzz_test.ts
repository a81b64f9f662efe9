import assert from "node:assert/strict";
import { fuzz } from "../support/fuzz.ts";
import {
  assertNothingMissing,
  lacking,
  unlessMissing,
} from "../support/runtimes.ts";

const needed = lacking("go", "bsdtar", "python3");

Deno.test({
  ...unlessMissing(
    "build() refuses mutated tars in words, or makes archives all can read",
    needed,
  ),
  async fn() {
    assertNothingMissing(needed);
    const { tried, accepted, failure } = await fuzz(20261124, 10);
    assert.equal(failure?.reason, undefined);
    assert.ok(tried > 100, `Only ${tried} inputs were tried`);
    // A fuzzer whose inputs are all refused, or all taken, tests nothing.
    assert.ok(accepted > 10 && accepted < tried - 10);
  },
});
