import assert from "node:assert/strict";
import { binary } from "../../lib/streams/bytes.ts";
import { BLOCK } from "../../lib/tar/block.ts";
import { entriesOf } from "../../lib/tar/entries.ts";
import { tarOf } from "../support/tar_writer.ts";

/** A tar as a stream of chunks of that size. */
function streamOf(tar: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < tar.length) controller.enqueue(tar.slice(at, at + size));
      else controller.close();
      at += size;
    },
  });
}

Deno.test("entriesOf() gives entries and their places", async () => {
  const tar = tarOf([
    { name: "a", data: "x".repeat(1000) },
    { name: "b", longName: "long" },
    { name: "c", data: "y".repeat(1_000_000) },
    { name: "d" },
  ]);
  for (const size of [100, BLOCK, 700_000, tar.length]) {
    const found: [string, number][] = [];
    for await (
      const { entry, bytes, place } of entriesOf(streamOf(tar, size))
    ) {
      found.push([binary(entry.path), place]);
      assert.equal(bytes[entry.header + 156], 0x30);
    }
    const c = 3 * BLOCK + 3 * BLOCK;
    assert.deepEqual(found, [
      ["a", 0],
      ["long", 3 * BLOCK],
      ["c", c],
      ["d", c + BLOCK + Math.ceil(1_000_000 / BLOCK) * BLOCK],
    ]);
  }
});

Deno.test("entriesOf() fails at a tar's end that is missing", async () => {
  const tar = tarOf([{ name: "a", data: "x".repeat(1000) }]);
  await assert.rejects(
    Array.fromAsync(entriesOf(streamOf(tar.subarray(0, 800), 500))),
    { name: "CutShortError", message: /cut short/ },
  );
});
