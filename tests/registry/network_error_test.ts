import assert from "node:assert/strict";
import { networkError } from "../../lib/registry/network_error.ts";

Deno.test("networkError() does not try again where fetch() refuses the port", async () => {
  const cause = await fetch("http://127.0.0.1:6000/").catch((error) => error);
  const error = networkError("127.0.0.1:6000", cause);
  assert.equal(error.name, "InputError");
  assert.match(error.message, /its port is kept for another protocol/);
});
