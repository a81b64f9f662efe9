import { concat } from "../streams/bytes.ts";
import type { LayerMethod } from "../streams/packing.ts";
import { cutFirstFrame } from "../streams/zstd_frames.ts";
import { isDeno, worker, zlib } from "./node.ts";
import { zstdParams } from "./zstd.ts";

/** Compresses blocks, several at a time. */
interface BlockCompressor {
  /** Memory for a block of {@linkcode BLOCK} bytes, with anything in it. */
  block(): Uint8Array<ArrayBuffer>;
  /**
   * Compresses a block, whose memory becomes another block's.
   *
   * @param before What comes before it, for gzip.
   */
  compress(
    block: Uint8Array<ArrayBuffer>,
    before?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array>;
  close(): void;
}

/** Bytes that are compressed at a time. */
export const BLOCK = 1 << 20;

/** Memory of blocks, to be used again: new memory is zeroed, page by page. */
class Blocks {
  readonly #free: ArrayBuffer[] = [];

  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#free.pop() ?? new ArrayBuffer(BLOCK));
  }

  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength === BLOCK) this.#free.push(buffer);
  }
}

/**
 * A compressor of blocks on all cores: each gives deflate data that end on a byte,
 * without a last block, or a zstd frame.
 */
export function blockCompressor(
  compression: LayerMethod,
  level: number,
  memLevel: number,
): BlockCompressor {
  const isGzip = compression === "gzip";
  if (isDeno) {
    const { constants: { Z_SYNC_FLUSH } } = zlib();
    return workers(
      `${compression} ${level} ${memLevel}`,
      isGzip,
      isGzip
        ? { deflate: { level, memLevel, finishFlush: Z_SYNC_FLUSH } }
        : { params: zstdParams(level) },
    );
  }
  // Node's and Bun's zlib work in threads of their own.
  const blocks = new Blocks();
  return {
    block: () => blocks.take(),
    async compress(block, before) {
      const data = isGzip
        ? await deflate(block, before, { level, memLevel })
        : await zstdFrame(block, level);
      blocks.give(block.buffer);
      return data;
    },
    close() {},
  };
}

function deflate(
  block: Uint8Array,
  dictionary: Uint8Array | undefined,
  size: { level: number; memLevel: number },
): Promise<Uint8Array> {
  const options = {
    ...size,
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
      parentPort.on("message", ({ id, buffer, size, before }) => {
        const block = new Uint8Array(buffer, 0, size);
        const post = (result) =>
          parentPort.postMessage({ id, result, buffer }, [result, buffer]);
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
  /** The block's memory. */
  buffer: ArrayBuffer;
}

/** Workers at most: each holds memory of its own. */
const MOST_WORKERS = 4;

/** Threads that compress in one way, while somebody uses them. */
interface Pool {
  threads: InstanceType<typeof worker.Worker>[];
  users: number;
}

const pools = new Map<string, Pool>();

/** What waits for a block. */
interface Waiting {
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

const waiting = new Map<number, Waiting>();
let next = 0;

/** Several users have the same threads: each of them takes a while to start. */
function workers(
  key: string,
  isGzip: boolean,
  workerData: object,
): BlockCompressor {
  const pool = pools.get(key) ??
    { threads: startThreads(workerData), users: 0 };
  pools.set(key, pool);
  pool.users++;
  let isOpen = true;
  const blocks = new Blocks();
  return {
    block: () => blocks.take(),
    async compress(block, before) {
      const answer = await new Promise<Answer>((resolve, reject) => {
        const id = next++;
        waiting.set(id, { resolve, reject });
        const { buffer, length: size } = block;
        const message = { id, buffer, size, before: before?.buffer };
        const thread = pool.threads[id % pool.threads.length]!;
        thread.postMessage(message, [buffer]);
      });
      blocks.give(answer.buffer);
      const data = new Uint8Array(answer.result);
      return isGzip ? data : cutFirstFrame(data);
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      if (--pool.users > 0) return;
      pools.delete(key);
      for (const thread of pool.threads) void thread.terminate();
    },
  };
}

function startThreads(workerData: object): Pool["threads"] {
  const count = Math.min(worker.cores(), MOST_WORKERS);
  return Array.from({ length: count }, () => {
    const thread = new worker.Worker(WORKER, { eval: true, workerData });
    thread.on("message", (answer: Answer) => {
      waiting.get(answer.id)?.resolve(answer);
      waiting.delete(answer.id);
    });
    thread.on("error", (error: unknown) => {
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    });
    return thread;
  });
}
