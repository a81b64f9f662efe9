import { concat } from "../streams/bytes.ts";
import { type LayerMethod, LEVELS } from "../streams/packing.ts";
import { compressBy } from "./compress_program.ts";
import { isDeno, worker, zlib } from "./node.ts";
import { hasZstd, zstdParams } from "./zstd.ts";

/** Bytes that are compressed at a time, each into a member or frame of its own. */
const COMPRESS_BLOCK = 1 << 20;
/** Blocks at work at a time: this machine's cores are busy, memory is bounded. */
const AT_WORK = 8;

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
 * @throws {FileError} If the runtime has no zstd, and the program is not there.
 */
export async function* compressBlocks(
  chunks: AsyncGenerator<Uint8Array>,
  compression: LayerMethod,
  level = LEVELS[compression].usual,
): AsyncGenerator<Uint8Array> {
  if (compression === "zstd" && !hasZstd()) {
    yield* compressBy("zstd", ["-q", "-c", `-${level}`, "-T0"], chunks);
    return;
  }
  const make = isDeno ? workers : threads;
  const compressor = make(compression, level);
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
function threads(compression: LayerMethod, level: number): Compressor {
  return {
    compress: compression === "zstd"
      ? (block) => zstdFrame(block, level)
      : (block) =>
        new Promise((resolve, reject) =>
          zlib.gzip(
            block,
            { level },
            (error, member) => error ? reject(error) : resolve(plain(member)),
          )
        ),
    close() {},
  };
}

/**
 * Compresses a block into a zstd frame. A stream that knows how much comes gives
 * the same bytes on all runtimes; a call for all at once does not.
 */
function zstdFrame(block: Uint8Array, level: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const options = {
      params: zstdParams(level),
      pledgedSrcSize: block.length,
    };
    const packer = zlib.createZstdCompress(options);
    const parts: Uint8Array[] = [];
    packer.on("data", (part: Uint8Array) => parts.push(part));
    packer.on("error", reject);
    packer.on("end", () => resolve(concat(parts)));
    // The first write must not be the last one: that is a call for all at once.
    packer.write(block, () => packer.end());
  });
}

/** Bytes of a gzip member's header from the time on, without flags. */
const TIME = 4;
/** No time, nothing about the level, an unknown system. */
const PLAIN = Uint8Array.of(0, 0, 0, 0, 0, 0xff);

/** A gzip member with the one header that all runtimes give it. */
function plain(member: Uint8Array): Uint8Array {
  member.set(PLAIN, TIME);
  return member;
}

/**
 * Deno's zlib works in the thread that calls it, so each core has one to call it.
 * Only buffers go to and fro: Deno takes a second for a few typed arrays.
 */
const WORKER = `
  Promise.all([import("node:zlib"), import("node:worker_threads")]).then(
    ([zlib, { parentPort, workerData: { level, params } }]) => {
      parentPort.on("message", ({ id, buffer }) => {
        const block = new Uint8Array(buffer);
        const post = (result) =>
          parentPort.postMessage({ id, result }, [result]);
        if (!params) {
          return post(new Uint8Array(zlib.gzipSync(block, { level })).buffer);
        }
        const pledgedSrcSize = block.length;
        const packer = zlib.createZstdCompress({ params, pledgedSrcSize });
        const parts = [];
        packer.on("data", (part) => parts.push(part));
        packer.on("end", async () =>
          post(await new Blob(parts).arrayBuffer()));
        packer.write(block, () => packer.end());
      });
    },
  );`;

/** What a worker answers. */
interface Answer {
  id: number;
  result: ArrayBuffer;
}

/** Workers at most: each holds memory of its own. */
const MOST_WORKERS = 4;

function workers(compression: LayerMethod, level: number): Compressor {
  const isGzip = compression === "gzip";
  const workerData = { level, params: isGzip ? undefined : zstdParams(level) };
  type Waiting = {
    resolve: (result: Uint8Array) => void;
    reject: (error: unknown) => void;
  };
  const waiting = new Map<number, Waiting>();
  const count = Math.min(worker.cores(), MOST_WORKERS);
  const threads = Array.from({ length: count }, () => {
    const thread = new worker.Worker(WORKER, { eval: true, workerData });
    thread.on("message", ({ id, result }: Answer) => {
      const bytes = new Uint8Array(result);
      waiting.get(id)?.resolve(isGzip ? plain(bytes) : bytes);
      waiting.delete(id);
    });
    thread.on("error", (error: unknown) => {
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    });
    return thread;
  });
  let next = 0;
  return {
    compress: (block) =>
      new Promise((resolve, reject) => {
        const id = next++;
        waiting.set(id, { resolve, reject });
        const { buffer } = block;
        threads[id % count]!.postMessage({ id, buffer }, [buffer]);
      }),
    close: () => threads.forEach((thread) => void thread.terminate()),
  };
}
