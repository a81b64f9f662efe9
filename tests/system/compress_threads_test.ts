import assert from "node:assert/strict";
import { compressThreads } from "../../lib/system/compress_threads.ts";

const task = () => {
  const buffer = new ArrayBuffer(1000);
  return { buffer, size: buffer.byteLength, before: undefined };
};

Deno.test("a block that comes after a thread has failed gets an answer", async () => {
  // No zlib takes such a window, so each thread fails at its first block.
  const deflate = { level: 3, memLevel: 8, windowBits: 99 };
  const threads = compressThreads("wrong", { deflate });
  try {
    for (let i = 0; i < 5; i++) {
      await assert.rejects(threads.compress(task()), /windowBits/);
    }
  } finally {
    threads.close();
  }
});

Deno.test("threads that work are not ended by others that fail", async () => {
  const right = compressThreads("right", { deflate: { level: 3 } });
  const wrong = compressThreads("wrong", { deflate: { windowBits: 99 } });
  try {
    await assert.rejects(wrong.compress(task()), /windowBits/);
    for (let i = 0; i < 5; i++) {
      const { result, buffer } = await right.compress(task());
      assert.ok(result.byteLength > 0 && result.byteLength < 100);
      assert.equal(buffer.byteLength, 1000);
    }
  } finally {
    right.close();
    wrong.close();
  }
});
