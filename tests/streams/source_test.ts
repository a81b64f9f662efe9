import assert from "node:assert/strict";
import { ascii, binary, concat } from "../../lib/streams/bytes.ts";
import {
  allocate,
  fromStream,
  readAt,
  release,
  toStream,
  wholeBlocks,
} from "../../lib/streams/source.ts";

const LARGE = 1 << 18;

async function* generate(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(ascii(text));
}

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

Deno.test("release() takes a chunk's memory, allocate() gives it out again", () => {
  const chunk = new Uint8Array(LARGE);
  release(chunk);
  assert.equal(chunk.length, 0);
  const again = allocate(LARGE);
  assert.equal(again.length, LARGE);
  assert.equal(allocate(LARGE - 1).length, LARGE - 1);
});

Deno.test("release() leaves parts of a buffer alone", () => {
  const whole = ascii("abcd");
  release(whole.subarray(1));
  assert.equal(binary(whole), "abcd");
});

Deno.test("toStream() and fromStream() are each other's inverse", async () => {
  const texts = ["a", "bc", "def"];
  const stream = toStream(generate(...texts));
  const found = await Array.fromAsync(fromStream(stream));
  assert.deepEqual(found.map(binary), texts);
});

Deno.test("toStream() passes errors on, and ends the generator when cancelled", async () => {
  let ended = false;
  async function* failing() {
    try {
      yield ascii("a");
      await Promise.resolve();
      throw new RangeError("It fails");
    } finally {
      ended = true;
    }
  }
  await assert.rejects(Array.fromAsync(fromStream(toStream(failing()))), {
    name: "RangeError",
    message: "It fails",
  });
  ended = false;
  for await (const chunk of fromStream(toStream(failing()))) {
    assert.equal(binary(chunk), "a");
    break;
  }
  assert.ok(ended);
});

Deno.test("fromStream() unlocks and cancels a stream that is not read to its end", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(ascii("x")),
    cancel: () => void (cancelled = true),
  });
  for await (const _ of fromStream(stream)) break;
  assert.ok(cancelled);
  assert.ok(!stream.locked);
});

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
  assert.deepEqual(await Array.fromAsync(wholeBlocks(generate("", ""))), []);
});

Deno.test("readAt() reads a stretch, up to the source's end", async () => {
  const source = new Blob(["abc", "def"]);
  assert.equal(binary(await readAt(source, 1, 3)), "bcd");
  assert.equal(binary(await readAt(source, 4, 100)), "ef");
  assert.equal(binary(await readAt(source, 6, 1)), "");
});
