import { concat } from "../streams/bytes.ts";
import type { LayerMethod } from "../streams/packing.ts";
import { isDeno, worker, zlib } from "./node.ts";
import { zstdParams } from "./zstd.ts";

/** Compresses blocks, several at a time. */
export interface BlockCompressor {
  /**
   * Compresses a block; its memory may be gone afterwards.
   *
   * @param before What comes before it, for gzip.
   */
  compress(
    block: Uint8Array<ArrayBuffer>,
    before?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array>;
  close(): void;
}

/**
 * A compressor of blocks on all cores: each gives deflate data that end on a byte,
 * without a last block, or a zstd frame.
 */
export function blockCompressor(
  compression: LayerMethod,
  level: number,
): BlockCompressor {
  const isGzip = compression === "gzip";
  if (isDeno) {
    const { constants: { Z_SYNC_FLUSH } } = zlib();
    return workers(
      isGzip
        ? { deflate: { level, finishFlush: Z_SYNC_FLUSH } }
        : { params: zstdParams(level) },
    );
  }
  // Node's and Bun's zlib work in threads of their own.
  return {
    compress: (block, before) =>
      isGzip ? deflate(block, before, level) : zstdFrame(block, level),
    close() {},
  };
}

function deflate(
  block: Uint8Array,
  dictionary: Uint8Array | undefined,
  level: number,
): Promise<Uint8Array> {
  const options = {
    level,
    finishFlush: zlib().constants.Z_SYNC_FLUSH,
    ...(dictionary && { dictionary }),
  };
  return new Promise((resolve, reject) =>
    zlib().deflateRaw(
      block,
      options,
      (error, data) => error ? reject(error) : resolve(data),
    )
  );
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
    const packer = zlib().createZstdCompress(options);
    const parts: Uint8Array[] = [];
    packer.on("data", (part: Uint8Array) => parts.push(part));
    packer.on("error", reject);
    packer.on("end", () => resolve(concat(parts)));
    // The first write must not be the last one: that is a call for all at once.
    packer.write(block, () => packer.end());
  });
}

/**
 * Deno's zlib works in the thread that calls it, so each core has one to call it.
 * Only buffers go to and fro: Deno takes a second for a few typed arrays.
 */
const WORKER = `
  Promise.all([import("node:zlib"), import("node:worker_threads")]).then(
    ([zlib, { parentPort, workerData: { deflate, params } }]) => {
      parentPort.on("message", ({ id, buffer, before }) => {
        const block = new Uint8Array(buffer);
        const post = (result) =>
          parentPort.postMessage({ id, result }, [result]);
        if (deflate) {
          const dictionary = before && new Uint8Array(before);
          const options = dictionary ? { ...deflate, dictionary } : deflate;
          const data = zlib.deflateRawSync(block, options);
          return post(new Uint8Array(data).buffer);
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

function workers(workerData: object): BlockCompressor {
  type Waiting = {
    resolve: (result: Uint8Array) => void;
    reject: (error: unknown) => void;
  };
  const waiting = new Map<number, Waiting>();
  const count = Math.min(worker.cores(), MOST_WORKERS);
  const threads = Array.from({ length: count }, () => {
    const thread = new worker.Worker(WORKER, { eval: true, workerData });
    thread.on("message", ({ id, result }: Answer) => {
      waiting.get(id)?.resolve(new Uint8Array(result));
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
    compress: (block, before) =>
      new Promise((resolve, reject) => {
        const id = next++;
        waiting.set(id, { resolve, reject });
        const { buffer } = block;
        const message = { id, buffer, before: before?.buffer };
        threads[id % count]!.postMessage(message, [buffer]);
      }),
    close: () => threads.forEach((thread) => void thread.terminate()),
  };
}
