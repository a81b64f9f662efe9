import assert from "node:assert/strict";
import { fuzzImages } from "../support/fuzz_images.ts";

Deno.test("convert() refuses mutated images in words, or makes isocs of them", async () => {
  const { tried, accepted, kinds, failure } = await fuzzImages(20261126, 8);
  assert.equal(failure?.reason, undefined);
  assert.equal(kinds.size, 5);
  assert.ok(tried > 50, `Only ${tried} images were tried`);
  // A fuzzer whose inputs are all refused, or all taken, tests nothing.
  assert.ok(accepted > 5 && accepted < tried - 5, `${accepted} of ${tried}`);
});
