// A hash in another thread is right whatever pieces come, and without the thread.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { FileError } from "../../lib/errors/file_error.ts";
import { CHUNK } from "../../lib/streams/source.ts";
import { RingHash } from "../../lib/system/ring_hash.ts";

/** More than the memory that both threads share. */
const BYTES = new Uint8Array(40 * CHUNK).map((_, i) => i * 3 + (i >> 17));

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Hashes bytes in pieces, which are changed afterwards. */
async function hash(
  ring: RingHash,
  bytes: Uint8Array,
  piece: number,
  onPiece: (at: number) => Promise<void> | void = () => {},
): Promise<string> {
  for (let at = 0; at < bytes.length; at += piece) {
    const part = bytes.slice(at, at + piece);
    await ring.update(part);
    part.fill(0);
    await onPiece(at);
  }
  return await ring.hex();
}

const later = (ms: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, ms));

Deno.test("another thread hashes pieces of any size", async () => {
  for (const size of [0, CHUNK, CHUNK + 1, BYTES.length]) {
    const bytes = BYTES.subarray(0, size);
    for (const piece of [CHUNK - 512, 3 * CHUNK + 1]) {
      assert.equal(
        await hash(new RingHash(), bytes, piece),
        digestOf(bytes),
        `${size} bytes, ${piece} at once`,
      );
    }
  }
});

Deno.test("a thread that waits for each piece hashes it", async () => {
  const bytes = BYTES.subarray(0, 10 * CHUNK);
  const digest = await hash(new RingHash(), bytes, CHUNK / 4, () => later(5));
  assert.equal(digest, digestOf(bytes));
});

Deno.test("a hash is right if the thread does not start", async () => {
  for (const size of [CHUNK, BYTES.length]) {
    const ring = new RingHash();
    await ring.cancel();
    const bytes = BYTES.subarray(0, size);
    assert.equal(await hash(ring, bytes, CHUNK), digestOf(bytes));
  }
});

Deno.test("a thread that ends before all is hashed is an error", async () => {
  const ring = new RingHash();
  // So far it comes only if some of it has been hashed.
  const hashing = hash(ring, BYTES, CHUNK, async (at) => {
    if (at === 24 * CHUNK) await ring.cancel();
  });
  await assert.rejects(hashing, (error) => {
    assert(error instanceof FileError);
    assert.match(error.message, /has ended.*: try again/);
    return true;
  });
});
