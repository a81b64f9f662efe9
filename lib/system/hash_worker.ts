import type { SinkHash } from "../streams/sink.ts";
import { worker } from "./node.ts";

/**
 * What the thread runs: it hashes a file from an offset on as far as the file has
 * been written. `state` holds how far that is, twice, and one more at the end.
 */
const CODE = `
Promise.all(["node:crypto", "node:fs", "node:worker_threads"].map((name) =>
  import(name)
)).then(([{ createHash }, fs, { workerData, parentPort }]) => {
  const { path, start, state } = workerData;
  const fd = fs.openSync(path, "r");
  parentPort.postMessage("open");
  const hash = createHash("sha256");
  const buffer = new Uint8Array(1 << 18);
  for (let at = start;;) {
    const now = Atomics.load(state, 0);
    const end = Number(now >> 1n);
    while (at < end) {
      const room = Math.min(buffer.length, end - at);
      const count = fs.readSync(fd, buffer, 0, room, at);
      // Without a result the hash is made where the file is written.
      if (count === 0) return fs.closeSync(fd);
      hash.update(buffer.subarray(0, count));
      at += count;
    }
    if (now & 1n) break;
    Atomics.wait(state, 0, now);
  }
  fs.closeSync(fd);
  parentPort.postMessage(hash.digest("hex"));
});`;

/** Bytes after which the thread is woken: that takes longer than a chunk does. */
const STEP = 1 << 20;

/**
 * Hashes in another thread what is being written into a file.
 *
 * @param path The file, which must stay there until the thread has opened it.
 * @param start Offset of the first byte to hash.
 * @param otherwise Hashes the stretch here, should the thread fail.
 */
export function hashBeside(
  path: string,
  start: number,
  otherwise: (end: number) => string,
): SinkHash {
  const state = new BigInt64Array(new SharedArrayBuffer(8));
  let end = start;
  let told = start;
  const thread = new worker.Worker(CODE, {
    eval: true,
    workerData: { path, start, state },
  });
  const result = new Promise<string | undefined>((resolve) => {
    thread.on("message", (text: string) => text === "open" || resolve(text));
    thread.on("error", () => resolve(undefined));
    thread.on("exit", () => resolve(undefined));
  });
  // The process need not wait for it.
  thread.unref();
  const tell = (isEnd: boolean) => {
    Atomics.store(state, 0, BigInt(end) * 2n + (isEnd ? 1n : 0n));
    Atomics.notify(state, 0);
  };
  return {
    advance(to) {
      end = to;
      if (end < told + STEP) return;
      told = end;
      tell(false);
    },
    async hex() {
      thread.ref();
      tell(true);
      const hex = await result;
      await thread.terminate();
      return hex ?? otherwise(end);
    },
    cancel() {
      result.catch(() => {});
      void thread.terminate();
    },
  };
}

/** Whether this machine can run another thread at the same time. */
export function hasSecondCore(): boolean {
  const { hardwareConcurrency } = globalThis.navigator ?? {};
  return (hardwareConcurrency ?? worker.cores()) > 1;
}
