import { InputError } from "../errors/input_error.ts";
import { isDeno, zlib } from "./node.ts";

/** The compressions that layers in registries have. */
export type LayerCompression = "gzip" | "zstd";

/** Bytes that are compressed at a time, each into a member or frame of its own. */
const COMPRESS_BLOCK = 1 << 20;
/** Blocks at work at a time: this machine's cores are busy, memory is bounded. */
const AT_WORK = 4;

/** Compresses one block; the block's memory may be gone afterwards. */
interface Compressor {
  compress(block: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  close(): void;
}

/**
 * Compresses on several cores: each block of {@linkcode COMPRESS_BLOCK} bytes
 * becomes a gzip member (RFC 1952, section 2.2) or a zstd frame (RFC 8878,
 * section 3), of which a file may have many. The same input gives the same bytes
 * for the same version of a runtime.
 *
 * @param chunks What is compressed.
 * @param compression How.
 * @param level The compression's level; 6 for gzip and 3 for zstd unless given.
 * @returns The compressed bytes.
 * @throws {InputError} If the runtime has no zstd.
 */
export async function* compressBlocks(
  chunks: AsyncIterable<Uint8Array>,
  compression: LayerCompression,
  level = compression === "gzip" ? 6 : 3,
): AsyncGenerator<Uint8Array> {
  if (compression === "zstd" && typeof zlib.zstdCompress !== "function") {
    throw new InputError(
      "This runtime cannot compress with zstd: use gzip, or Node 22.15 and newer",
    );
  }
  const make = isDeno ? workers : threads;
  const compressor = await make(compression, level);
  const queue: Promise<Uint8Array>[] = [];
  let count = 0;
  try {
    for await (const block of blocksOf(chunks)) {
      count++;
      const result = compressor.compress(block);
      // Its failure shows when its turn comes.
      result.catch(() => {});
      queue.push(result);
      if (queue.length >= AT_WORK) yield await queue.shift()!;
    }
    if (count === 0) queue.push(compressor.compress(new Uint8Array(0)));
    for (const result of queue) yield await result;
  } finally {
    compressor.close();
  }
}

/** Cuts chunks into blocks of one size, each in memory of its own. */
async function* blocksOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let block = new Uint8Array(COMPRESS_BLOCK);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + COMPRESS_BLOCK - filled);
      block.set(piece, filled);
      filled += piece.length;
      at += piece.length;
      if (filled < COMPRESS_BLOCK) continue;
      yield block;
      block = new Uint8Array(COMPRESS_BLOCK);
      filled = 0;
    }
  }
  if (filled > 0) yield block.slice(0, filled);
}

/** Node's and Bun's zlib work in threads of their own. */
function threads(compression: LayerCompression, level: number): Compressor {
  type Done = (error: Error | null, result: Uint8Array) => void;
  const run = (block: Uint8Array, done: Done) =>
    compression === "gzip"
      ? zlib.gzip(block, { level }, done)
      : zlib.zstdCompress(block, zstdOptions(level), done);
  return {
    compress: (block) =>
      new Promise((resolve, reject) =>
        run(block, (error, result) => error ? reject(error) : resolve(result))
      ),
    close() {},
  };
}

function zstdOptions(level: number) {
  return { params: { [zlib.constants.ZSTD_c_compressionLevel]: level } };
}

/** Deno's zlib works in the thread that calls it, so there are two to call it. */
const WORKER = `
  Promise.all([import("node:zlib"), import("node:worker_threads")]).then(
    ([zlib, { parentPort, workerData: { method, options } }]) =>
      parentPort.on("message", (block) => {
        const result = new Uint8Array(zlib[method](block, options));
        parentPort.postMessage(result);
      }),
  );`;

async function workers(
  compression: LayerCompression,
  level: number,
): Promise<Compressor> {
  const { Worker } = await import("node:worker_threads");
  const workerData = compression === "gzip"
    ? { method: "gzipSync", options: { level } }
    : { method: "zstdCompressSync", options: zstdOptions(level) };
  const all = [0, 1].map(() => {
    const worker = new Worker(WORKER, { eval: true, workerData });
    const waiting: {
      resolve: (result: Uint8Array) => void;
      reject: (error: unknown) => void;
    }[] = [];
    worker.on(
      "message",
      (result: Uint8Array) => waiting.shift()?.resolve(result),
    );
    worker.on("error", (error: unknown) => {
      for (const { reject } of waiting.splice(0)) reject(error);
    });
    return { worker, waiting };
  });
  let next = 0;
  return {
    compress: (block) =>
      new Promise((resolve, reject) => {
        const { worker, waiting } = all[next++ % all.length]!;
        waiting.push({ resolve, reject });
        worker.postMessage(block, [block.buffer]);
      }),
    close: () => all.forEach(({ worker }) => void worker.terminate()),
  };
}
