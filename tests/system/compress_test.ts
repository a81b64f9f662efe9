import assert from "node:assert/strict";
import { concat } from "../../lib/streams/bytes.ts";
import { bytesDigest } from "../../lib/streams/sha256.ts";
import { ZstdFrames } from "../../lib/streams/zstd_frames.ts";
import { compress } from "../../lib/system/compress.ts";
import { compressBlocks } from "../../lib/system/compress_blocks.ts";
import { keepCompressThreads } from "../../lib/system/compress_threads.ts";

const MIB = 1 << 20;
const noise = new Uint8Array(2 * MIB);
for (let i = 0; i < noise.length; i += 1 << 16) {
  crypto.getRandomValues(noise.subarray(i, i + (1 << 16)));
}

async function* chunks(bytes: Uint8Array) {
  for (let i = 0; i < bytes.length; i += 1 << 16) {
    yield bytes.slice(i, i + (1 << 16));
  }
}

/** How many frames a zstd file has. */
function countFrames(bytes: Uint8Array): number {
  const frames = new ZstdFrames({
    maxWindow: 2 ** 27,
    tooLarge: (window) => new Error(`window ${window}`),
  });
  for (const _ of frames.pieces(bytes));
  frames.end();
  return frames.frames;
}

// Deno's encoder adds an empty frame where the end fills its memory, which makes
// other bytes, and so another digest, than Node's and Bun's.
Deno.test("compress makes one zstd frame, whatever the size", async () => {
  // Half as long when it is compressed: ends come anywhere in that memory.
  const digits = noise.map((byte) => byte & 15);
  for (let size = 0; size < 2 * MIB; size += 47_111) {
    const packing = { method: "zstd", window: MIB } as const;
    const made = await Array.fromAsync(
      compress(chunks(digits.subarray(0, size)), packing),
    );
    assert.equal(countFrames(concat(made)), 1, `${size} bytes`);
  }
});

Deno.test("compressBlocks makes one zstd frame a block", async () => {
  for (const size of [0, 1000, 50_000, 300_000, MIB, MIB + 1, 2 * MIB]) {
    const made = await Array.fromAsync(
      compressBlocks(chunks(noise.subarray(0, size)), "zstd"),
    );
    const blocks = Math.max(1, Math.ceil(size / MIB));
    assert.equal(countFrames(concat(made)), blocks, `${size} bytes`);
  }
});

// Which thread compresses it depends on what was compressed before.
Deno.test("compressBlocks makes the same bytes of a short layer in any thread", async () => {
  const digits = noise.map((byte) => byte & 15);
  for (const method of ["gzip", "zstd"] as const) {
    const made = async (size: number) =>
      concat(
        await Array.fromAsync(
          compressBlocks(chunks(digits.subarray(0, size)), method),
        ),
      );
    for (const size of [0, 100, 300_000, 600_000, MIB - 1]) {
      const alone = await made(size);
      const end = keepCompressThreads();
      await made(2 * MIB);
      const beside = await made(size);
      end();
      assert.deepEqual(beside, alone, `${size} bytes, ${method}`);
    }
  }
});

// Blocks go into memory of others before them.
Deno.test("compressBlocks makes gzip of many blocks, also of noise", async () => {
  const most = 12 * MIB + 50_000;
  const digits = noise.map((byte) => 48 + byte % 10);
  const bytes = new Uint8Array(most);
  for (let i = 0; i * MIB < most; i++) {
    const block = (i % 3 ? digits : noise).subarray(i * 1000);
    bytes.set(block.subarray(0, Math.min(MIB, most - i * MIB)), i * MIB);
  }
  const made = await Array.fromAsync(compressBlocks(chunks(bytes), "gzip"));
  const unpacked = new Blob(made as BlobPart[]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  const got = new Uint8Array(await new Response(unpacked).arrayBuffer());
  assert.equal(got.length, most);
  assert.equal(bytesDigest(got), bytesDigest(bytes));
});
