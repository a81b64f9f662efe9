import assert from "node:assert/strict";
import { sha256, textDigest } from "../../lib/streams/sha256.ts";
import { utf8 } from "../../lib/streams/bytes.ts";

const EMPTY =
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

function checkAll(): void {
  assert.equal(sha256().hex(), EMPTY);
  assert.equal(textDigest("abc"), ABC);
  const hash = sha256();
  hash.update(utf8("a"));
  hash.update(new Uint8Array(0));
  hash.update(utf8("xbcx").subarray(1, 3));
  assert.equal(hash.hex(), ABC);
}

Deno.test(
  "sha256() hashes piece by piece, by the runtime's own code",
  checkAll,
);

Deno.test("sha256() does without Node's crypto, as in a browser", () => {
  const { process } = globalThis;
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const native = sha256();
  native.update(bytes);
  Object.defineProperty(globalThis, "process", {
    value: undefined,
    configurable: true,
    writable: true,
  });
  try {
    checkAll();
    const plain = sha256();
    for (let at = 0; at < bytes.length; at += 1001) {
      plain.update(bytes.subarray(at, at + 1001));
    }
    assert.equal(plain.hex(), native.hex());
  } finally {
    Object.defineProperty(globalThis, "process", {
      value: process,
      configurable: true,
      writable: true,
    });
  }
});
