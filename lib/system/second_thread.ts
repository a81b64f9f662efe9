import type { SinkHash } from "../streams/sink.ts";
import { CHUNK } from "../streams/source.ts";
import { OPEN_MEANT } from "./meant_file.ts";
import { keepThread, resultOf, startThread, type Thread } from "./threads.ts";

// Words of the state that both threads share.

/** Offset up to where the file is written, twice; one more at the end of all. */
const HERE = 0;
/** In {@linkcode HERE}: the other thread is to stop. */
const STOP = -1n;

/**
 * What the thread runs: it hashes a stretch of a file as far as it has been
 * written, if the file is the one that was meant.
 */
const CODE = `
${OPEN_MEANT}
Promise.all([import("node:crypto"), import("node:fs")])
  .then(([{ createHash }, fs]) => {
  const { start, size } = data;
  const state = new BigInt64Array(data.state);
  let fd = -1;
  try {
    fd = openMeant(fs, data, "r");
    const hash = createHash("sha256");
    const buffer = new Uint8Array(size);
    for (let at = start;;) {
      const now = Atomics.load(state, ${HERE});
      if (now === ${STOP}n) return;
      const length = Math.min(size, Number(now >> 1n) - at);
      if (length > 0) {
        const count = fs.readSync(fd, buffer, 0, length, at);
        if (count === 0) throw "it is shorter";
        hash.update(count === size ? buffer : buffer.subarray(0, count));
        at += count;
      } else if (now & 1n) break;
      else Atomics.wait(state, ${HERE}, now);
    }
    port.postMessage(hash.digest("hex"));
  } catch {
    // It is hashed where it is written.
    port.postMessage(undefined);
  } finally {
    if (fd > 0) fs.closeSync(fd);
  }
});`;

/** Bytes after which the thread is woken. */
const STEP = 1 << 20;

/** What a {@linkcode SecondThread} works on. */
export interface Work {
  /** The file; it stays there until the work is done. 0 is standard input. */
  path: string | number;
  /** Device and inode of it. */
  id: string;
  /** Offset of the first byte to hash. */
  start: number;
  /** Hashes the stretch up to an offset here, should the thread fail. */
  otherwise: (end: number) => string;
}

/** Another thread that hashes what is being written into a file. */
export class SecondThread implements SinkHash {
  readonly #state = new BigInt64Array(new SharedArrayBuffer(8));
  readonly #work: Work;
  readonly #thread: Thread | undefined;
  readonly #result: Promise<string | undefined>;
  /** Up to where bytes are in the file. */
  #end: number;
  #told: number;
  #isCancelled = false;

  constructor(work: Work) {
    const { path, id, start } = work;
    this.#work = work;
    this.#end = start;
    this.#told = start;
    const state = this.#state;
    state[HERE] = BigInt(start) * 2n;
    const thread = startThread(CODE, {
      path,
      id,
      start,
      state: state.buffer,
      size: CHUNK,
    });
    this.#thread = thread;
    this.#result = resultOf(thread, () => {});
  }

  advance(to: number): void {
    this.#end = to;
    if (to < this.#told + STEP) return;
    this.#told = to;
    this.#say(BigInt(to) * 2n);
  }

  async hex(): Promise<string> {
    this.#thread?.ref();
    this.#say(BigInt(this.#end) * 2n + 1n);
    const hex = await this.#result;
    if (this.#thread && hex !== undefined) keepThread(this.#thread);
    return hex ?? this.#work.otherwise(this.#end);
  }

  cancel(): void {
    this.#say(STOP);
    this.#isCancelled = true;
    void this.#thread?.terminate();
  }

  #say(here: bigint): void {
    if (this.#isCancelled) return;
    Atomics.store(this.#state, HERE, here);
    Atomics.notify(this.#state, HERE);
  }
}
