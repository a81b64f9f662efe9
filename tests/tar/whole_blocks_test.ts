import assert from "node:assert/strict";
import { concat } from "../../lib/streams/bytes.ts";
import { wholeBlocks } from "../../lib/tar/whole_blocks.ts";

const LARGE = 1 << 18;

/** Bytes that differ from their neighbours. */
function numbered(size: number, start = 0): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (start + i) % 251);
}

/** {@linkcode numbered} bytes in pieces of that size. */
async function* pieces(
  total: number,
  size: number,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < total; at += size) {
    yield await Promise.resolve(numbered(Math.min(size, total - at), at));
  }
}

Deno.test("wholeBlocks() brings chunks of any sizes to whole blocks", async () => {
  for (const size of [97, 511, 512, 513, 100_000, LARGE, LARGE + 1]) {
    const total = 3 * LARGE + 100;
    const found: Uint8Array[] = [];
    for await (const chunk of wholeBlocks(pieces(total, size))) {
      found.push(chunk.slice());
    }
    assert.ok(
      found.slice(0, -1).every(({ length }) => length % 512 === 0),
      `${size}`,
    );
    assert.ok(found.length <= 5);
    assert.deepEqual(concat(found), numbered(total));
  }
});

Deno.test("wholeBlocks() passes large chunks of whole blocks uncopied", async () => {
  const chunk = numbered(LARGE);
  for await (const found of wholeBlocks([chunk] as never)) {
    assert.equal(found.buffer, chunk.buffer);
  }
});

Deno.test("wholeBlocks() gives nothing for nothing", async () => {
  assert.deepEqual(await Array.fromAsync(wholeBlocks(pieces(0, 1))), []);
});
