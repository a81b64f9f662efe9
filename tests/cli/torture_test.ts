import assert from "node:assert/strict";
import { torture } from "../support/torture.ts";

Deno.test("ciso leaves no half-written file, whatever happens to it", async () => {
  const { tried, done, kinds, failure } = await torture(20261126, 20);
  assert.equal(failure, undefined);
  assert.ok(tried > 10, `Only ${tried} runs`);
  assert.ok(kinds.size > 5);
  // Trouble that troubles nobody, or everybody, tests nothing.
  assert.ok(done > 0 && done < tried, `${done} of ${tried}`);
});
