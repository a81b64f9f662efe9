import { type LayerMethod, LEVELS } from "../streams/packing.ts";
import { blockCompressor, looksBack } from "./block_compressor.ts";
import { BLOCK } from "./block_memory.ts";
import { compressThreadCount } from "./compress_threads.ts";
import { compressBy } from "./compress_program.ts";
import { zlib } from "./node.ts";
import { hasZstd } from "./zstd.ts";

/** Blocks at work for each core: it stays busy, and memory is bounded. */
const AT_WORK = 2;

/** A header of gzip (RFC 1952) with no time, no name and no system. */
const GZIP_HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);

/**
 * Compresses on several cores, in blocks of {@linkcode BLOCK} bytes. For gzip they
 * make one member as pigz writes it: each block ends on a byte, and knows the end
 * of the one before (Deno's zlib does not look there). For zstd each becomes a frame (RFC 8878, section 3), of which
 * a file may have many.
 *
 * The same input gives the same bytes: of zstd on all runtimes, of gzip for the
 * same version of a runtime.
 *
 * @param chunks What is compressed.
 * @param compression How.
 * @param level The compression's level; 6 for gzip and 3 for zstd unless given.
 * @param memLevel Memory for gzip, as zlib counts it: 9 is quicker than 8, which
 * is used unless given.
 * @returns The compressed bytes.
 * @throws {FileError} If the runtime has no zstd, and the program is not there.
 *
 * @example
 * ```ts
 * import { compressBlocks } from "@isoc/isoc/node";
 * import assert from "node:assert/strict";
 *
 * async function* chunks() {
 *   yield new TextEncoder().encode("make container");
 * }
 * const parts: Uint8Array[] = [];
 * for await (const part of compressBlocks(chunks(), "gzip")) parts.push(part);
 * const gunzip = new DecompressionStream("gzip");
 * const stream = new Blob(parts as BlobPart[]).stream().pipeThrough(gunzip);
 * assert.equal(await new Response(stream).text(), "make container");
 * ```
 */
export async function* compressBlocks(
  chunks: AsyncGenerator<Uint8Array>,
  compression: LayerMethod,
  level = LEVELS[compression].usual,
  memLevel = 8,
): AsyncGenerator<Uint8Array> {
  if (compression === "zstd" && !hasZstd()) {
    yield* compressBy("zstd", ["-q", "-c", `-${level}`, "-T0"], chunks);
    return;
  }
  const isGzip = compression === "gzip";
  const compressor = blockCompressor(compression, { level, memLevel });
  const { memory } = compressor;
  const hasEnds = isGzip && looksBack();
  const queue: Promise<Uint8Array>[] = [];
  const most = AT_WORK * compressThreadCount();
  let size = 0;
  let sum = 0;
  let before: Uint8Array<ArrayBuffer> | undefined;
  try {
    if (isGzip) yield GZIP_HEADER.slice();
    for await (const block of blocksOf(chunks, () => memory.block())) {
      size += block.length;
      if (isGzip) sum = zlib().crc32(block, sum);
      // The block's memory may go to another thread.
      const end = hasEnds ? memory.endOf(block) : undefined;
      const result = compressor.compress(block, before);
      before = end;
      // Its failure shows when its turn comes.
      result.catch(() => {});
      queue.push(result);
      if (queue.length >= most) yield await queue.shift()!;
    }
    if (size === 0 && !isGzip) {
      queue.push(compressor.compress(new Uint8Array(0)));
    }
    for (const result of queue) yield await result;
    if (isGzip) yield gzipEnd(sum, size);
  } finally {
    compressor.close();
  }
}

/** The last block of deflate data, which is empty, and gzip's checks. */
function gzipEnd(sum: number, size: number): Uint8Array {
  const end = new Uint8Array(10);
  end[0] = 3;
  const view = new DataView(end.buffer);
  view.setUint32(2, sum, true);
  view.setUint32(6, size % 2 ** 32, true);
  return end;
}

/** Cuts chunks into blocks of one size, each in memory of its own. */
async function* blocksOf(
  chunks: AsyncIterable<Uint8Array>,
  memory: () => Uint8Array<ArrayBuffer>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let block = memory();
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + BLOCK - filled);
      block.set(piece, filled);
      filled += piece.length;
      at += piece.length;
      if (filled < BLOCK) continue;
      yield block;
      block = memory();
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
