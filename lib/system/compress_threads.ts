import { worker } from "./node.ts";

/**
 * What each thread runs. Only buffers go to and fro: Deno takes a second for a few
 * typed arrays.
 */
const WORKER = `
  Promise.all([import("node:zlib"), import("node:worker_threads")]).then(
    ([zlib, { parentPort, workerData: { deflate, params } }]) => {
      parentPort.on("message", ({ id, buffer, size, before }) => {
        const block = new Uint8Array(buffer, 0, size);
        const post = (result) =>
          parentPort.postMessage(
            { id, result, buffer, before },
            before ? [result, buffer, before] : [result, buffer],
          );
        if (deflate) {
          const dictionary = before && new Uint8Array(before);
          const options = dictionary ? { ...deflate, dictionary } : deflate;
          const data = zlib.deflateRawSync(block, options);
          // The rest of its memory is free at once.
          return post(data.buffer.transfer(data.length));
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

/** What a thread gets. */
interface Task {
  /** Memory with the block. */
  buffer: ArrayBuffer;
  /** Bytes of the block. */
  size: number;
  /** How the block before it ends, for gzip. */
  before: ArrayBuffer | undefined;
}

/** What a thread answers. */
export interface Answer {
  id: number;
  /** The compressed block. */
  result: ArrayBuffer;
  /** The block's memory. */
  buffer: ArrayBuffer;
  /** The memory of the end before it. */
  before?: ArrayBuffer;
}

/** Threads that compress in one way. */
export interface CompressThreads {
  /** Compresses a block; all memory comes back with the answer. */
  compress(task: Task): Promise<Answer>;
  /** Whether there are some already. */
  haveStarted(): boolean;
  /** Ends this use of them. */
  close(): void;
}

/** Threads at most: each holds memory of its own. */
const MOST = 4;

/** How many threads compress on this machine. */
export function compressThreadCount(): number {
  return Math.min(worker.cores(), MOST);
}

type Thread = InstanceType<typeof worker.Worker>;

/** Threads that compress in one way, and how many use them. */
interface Pool {
  /** Each starts with the first block that it gets. */
  threads: (Thread | undefined)[];
  users: number;
}

const pools = new Map<string, Pool>();
/** How many want threads to stay that nobody uses for now. */
let keepers = 0;

/** What waits for a block. */
interface Waiting {
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

const waiting = new Map<number, Waiting>();
let next = 0;

/**
 * Threads for zlib, one for each core: Deno's works in the thread that calls it.
 * Several users have the same threads: each of them takes a while to start.
 *
 * @param key The way in which they compress.
 * @param way The same as options of zlib: `deflate`, or `params` of zstd.
 */
export function compressThreads(key: string, way: object): CompressThreads {
  const pool: Pool = pools.get(key) ?? { threads: [], users: 0 };
  pools.set(key, pool);
  pool.users++;
  let isOpen = true;
  return {
    compress: (task) =>
      new Promise<Answer>((resolve, reject) => {
        const id = next++;
        waiting.set(id, { resolve, reject });
        const place = id % compressThreadCount();
        const thread = pool.threads[place] ??= startThread(
          way,
          () => pool.threads[place] = undefined,
        );
        const { buffer, before } = task;
        thread.postMessage(
          { id, ...task },
          before ? [buffer, before] : [buffer],
        );
      }),
    haveStarted: () => pool.threads.length > 0,
    close() {
      if (!isOpen) return;
      isOpen = false;
      pool.users--;
      endUnused();
    },
  };
}

/**
 * Lets threads stay between two uses.
 *
 * @returns Ends that.
 */
export function keepCompressThreads(): () => void {
  keepers++;
  return () => {
    keepers--;
    endUnused();
  };
}

function endUnused(): void {
  if (keepers > 0) return;
  for (const [key, { threads, users }] of pools) {
    if (users > 0) continue;
    pools.delete(key);
    for (const thread of threads) void thread?.terminate();
  }
}

/**
 * @param workerData The way in which it compresses.
 * @param onFailed Is called when it has failed: it answers no more.
 */
function startThread(workerData: object, onFailed: () => void): Thread {
  const thread = new worker.Worker(WORKER, {
    eval: true,
    workerData,
    // It works in memory that it gets or gives back at once. What else it makes
    // lives briefly: without a limit, V8 lets 16 MiB of it come together.
    resourceLimits: { maxYoungGenerationSizeMb: 1 },
  });
  thread.on("message", (answer: Answer) => {
    waiting.get(answer.id)?.resolve(answer);
    waiting.delete(answer.id);
  });
  thread.on("error", (error: unknown) => {
    onFailed();
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });
  return thread;
}
