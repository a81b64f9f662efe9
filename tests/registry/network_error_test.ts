import assert from "node:assert/strict";
import { networkError } from "../../lib/registry/network_error.ts";

Deno.test("networkError() does not try again where fetch() refuses the port", async () => {
  const cause = await fetch("http://127.0.0.1:6000/").catch((error) => error);
  const error = networkError("127.0.0.1:6000", cause);
  assert.equal(error.name, "InputError");
  assert.match(error.message, /its port is kept for another protocol/);
});

Deno.test("networkError() says which server speaks no TLS", () => {
  const texts = [
    "client error (Connect): received corrupt message of type InvalidContentType",
    "EPROTO: The TLS handshake failed. Does the server speak TLS on this port?",
  ].map((text) => new Error(text));
  const node = Object.assign(new Error("wrong version number"), {
    code: "ERR_SSL_WRONG_VERSION_NUMBER",
  });
  for (const cause of [...texts, node]) {
    const error = networkError("registry.example", cause);
    assert.equal(error.name, "InputError");
    assert.match(error.message, /registry\.example .*--plain-http/);
  }
});
