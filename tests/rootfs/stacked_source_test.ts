// Several sources that are read as one: buffers across their borders, and sources
// that can only be streamed.

import assert from "node:assert/strict";
import { StackedSource } from "../../lib/rootfs/stacked_source.ts";
import { readAt, type Source } from "../../lib/streams/source.ts";

const BYTES = new Uint8Array(1000).map((_, i) => i);

/** A source of some of the bytes. */
function source(start: number, end: number, withFill = true): Source {
  const bytes = BYTES.slice(start, end);
  const blob = new Blob([bytes]);
  const fill = (buffer: Uint8Array, at: number) => {
    const part = bytes.subarray(at, at + buffer.length);
    buffer.set(part);
    return part.length;
  };
  return {
    stream: () => blob.stream(),
    slice: (from, to) => blob.slice(from, to),
    ...(withFill && { fill }),
  };
}

for (const withFill of [true, false]) {
  Deno.test(`sources ${withFill ? "with" : "without"} fill() are read across borders`, async () => {
    const stacked = new StackedSource();
    stacked.push(source(0, 100), 100);
    // Not all of it belongs to it.
    stacked.push(source(100, 500, withFill), 50);
    stacked.push(source(150, 150), 0);
    stacked.push(source(150, 1000), 850);
    assert.equal(stacked.fill !== undefined, withFill);
    for (
      const [start, length] of [
        [0, 1000],
        [0, 100],
        [99, 2],
        [90, 70],
        [149, 1],
        [150, 1],
        [990, 50],
        [1000, 5],
      ] as const
    ) {
      assert.deepEqual(
        await readAt(stacked, start, length),
        BYTES.slice(start, start + length),
        `${length} bytes from ${start} on`,
      );
    }
  });
}

Deno.test("a source that still grows is read as far as it is there", async () => {
  const stacked = new StackedSource();
  stacked.push(source(0, 100), 100);
  stacked.grow(source(100, 300));
  assert.deepEqual(await readAt(stacked, 50, 100), BYTES.slice(50, 150));
  assert.deepEqual(await readAt(stacked, 250, 100), BYTES.slice(250, 300));
});
