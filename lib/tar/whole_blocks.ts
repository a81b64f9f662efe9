import { allocate, CHUNK, release } from "../streams/source.ts";
import { BLOCK } from "./block.ts";

/**
 * Brings chunks of any sizes to whole blocks of 512 bytes, in large buffers.
 * Large chunks of whole blocks pass uncopied, all others are released. The last
 * buffer may be ragged.
 */
export async function* wholeBlocks(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let buffer: Uint8Array | undefined;
  let filled = 0;
  for await (const chunk of chunks) {
    const isLarge = 2 * chunk.length >= CHUNK && chunk.length % BLOCK === 0;
    if (isLarge && filled % BLOCK === 0) {
      if (filled > 0) yield buffer!.slice(0, filled);
      filled = 0;
      yield chunk;
      continue;
    }
    for (let at = 0; at < chunk.length;) {
      buffer ??= allocate(CHUNK);
      const piece = chunk.subarray(at, at + CHUNK - filled);
      buffer.set(piece, filled);
      filled += piece.length;
      at += piece.length;
      if (filled < CHUNK) continue;
      yield buffer;
      buffer = undefined;
      filled = 0;
    }
    release(chunk);
  }
  if (!buffer || filled === 0) return;
  const last = buffer.slice(0, filled);
  // The large buffers of thousands of small layers fill the memory.
  release(buffer);
  yield last;
}
