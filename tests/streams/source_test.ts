import assert from "node:assert/strict";
import { ascii, binary } from "../../lib/streams/bytes.ts";
import {
  allocate,
  fromStream,
  readAt,
  release,
  toStream,
} from "../../lib/streams/source.ts";

const LARGE = 1 << 18;

async function* generate(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(ascii(text));
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

Deno.test("readAt() reads a stretch, up to the source's end", async () => {
  const source = new Blob(["abc", "def"]);
  assert.equal(binary(await readAt(source, 1, 3)), "bcd");
  assert.equal(binary(await readAt(source, 4, 100)), "ef");
  assert.equal(binary(await readAt(source, 6, 1)), "");
});
