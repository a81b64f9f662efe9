import type { SinkHash } from "../streams/sink.ts";
import { CHUNK, type FilePlace } from "../streams/source.ts";
import {
  resultOf,
  startThread,
  type Thread,
  waitForThread,
} from "./threads.ts";

// Words of the state that both threads share. Offsets are in the file.

/** Up to where one of them writes or has written. */
const CLAIMED = 0;
/** Up to where this thread has written, twice; one more at the end of all. */
const HERE = 1;
/** Up to where the other one has, twice; one more once it has given up. */
const THERE = 2;
/** In {@linkcode HERE}: the other thread is to stop. */
const STOP = -1n;

/**
 * What the thread runs: it hashes a stretch of a file as far as it has been
 * written. Of an input it writes the next chunk itself if nobody has claimed it.
 * It never creates a file, and takes none that is not the one that was meant.
 */
const CODE = `
Promise.all([import("node:crypto"), import("node:fs")])
  .then(([{ createHash }, fs]) => {
  const { path, id, start, input, size } = data;
  const state = new BigInt64Array(data.state);
  const OTHER = "the file is not what it was";
  const open = (path, id, flags) => {
    const fd = fs.openSync(path, flags);
    const { dev, ino } = fs.fstatSync(fd, { bigint: true });
    if (id === dev + ":" + ino) return fd;
    fs.closeSync(fd);
    throw OTHER;
  };
  let fd = -1, from = -1;
  let here = start;
  const say = (hasFailed) => {
    Atomics.store(state, ${THERE}, BigInt(here) * 2n + BigInt(hasFailed));
    Atomics.notify(state, ${THERE});
  };
  try {
    if (input) {
      try {
        from = open(input.path, input.id, "r");
      } catch {
        // Then the other thread writes all of it.
      }
    }
    fd = open(path, id, from >= 0 ? "r+" : "r");
    const hash = createHash("sha256");
    const buffer = new Uint8Array(size);
    const fill = (fd, length, position) => {
      let at = 0;
      while (at < length) {
        const count = fs.readSync(fd, buffer, at, length - at, position + at);
        if (count === 0) throw OTHER;
        at += count;
      }
    };
    for (let at = start;;) {
      const now = Atomics.load(state, ${HERE});
      if (now === ${STOP}n) return;
      let count = input ? Math.min(size, start + input.size - at) : 0;
      const mayClaim = from >= 0 && count > 0;
      const claim = [BigInt(at), BigInt(at + count)];
      if (
        mayClaim &&
        Atomics.compareExchange(state, ${CLAIMED}, ...claim) === claim[0]
      ) {
        fill(from, count, input.start + at - start);
        for (let done = 0; done < count;) {
          const rest = count - done;
          done += fs.writeSync(fd, buffer, done, rest, at + done);
        }
        here = at + count;
        say(false);
      } else {
        count = Math.min(size, Math.max(Number(now >> 1n), here) - at);
        if (count <= 0) {
          if (now & 1n) break;
          Atomics.wait(state, ${HERE}, now);
          continue;
        }
        fill(fd, count, at);
      }
      hash.update(count === size ? buffer : buffer.subarray(0, count));
      at += count;
    }
    port.postMessage(hash.digest("hex"));
  } catch {
    // What it has not written, and the hash, are made where the rest is.
    say(true);
    port.postMessage(undefined);
  } finally {
    for (const one of [fd, from]) if (one >= 0) fs.closeSync(one);
  }
});`;

/** Bytes after which a thread that only hashes is woken. */
const STEP = 1 << 20;

/** What a {@linkcode SecondThread} works on. */
export interface Work {
  /** The file that is written; it stays there until the work is done. */
  path: string;
  /** Device and inode of it. */
  id: string;
  /** Offset of the first byte to hash. */
  start: number;
  /** What is copied there, if the thread may write, too. */
  input?: FilePlace | undefined;
  /** Hashes the stretch up to an offset here, should the thread fail. */
  otherwise: (end: number) => string;
}

/**
 * Another thread that hashes what is being written into a file. If that is the
 * copy of another file, both threads write: whoever comes to a chunk first.
 */
export class SecondThread implements SinkHash {
  readonly #state = new BigInt64Array(new SharedArrayBuffer(24));
  readonly #work: Work;
  readonly #thread: Thread | undefined;
  readonly #result: Promise<string | undefined>;
  /** Up to where bytes are in the file. */
  #end: number;
  #told: number;
  #hasEnded = false;
  #isCancelled = false;

  constructor(work: Work) {
    const { path, id, start, input } = work;
    this.#work = work;
    this.#end = start;
    this.#told = start;
    const state = this.#state;
    const twice = BigInt(start) * 2n;
    state.set([BigInt(start), twice, twice]);
    const from = input && {
      path: input.path,
      id: input.id,
      start: input.start,
      size: input.size,
    };
    const thread = startThread(CODE, {
      path,
      id,
      start,
      input: from,
      state: state.buffer,
      size: CHUNK,
    });
    this.#thread = thread;
    this.#result = resultOf(thread, () => this.#hasEnded = true);
  }

  /**
   * Claims the next bytes for this thread, which then writes them.
   *
   * @returns Whether the other thread has not claimed them.
   */
  claim(start: number, end: number): boolean {
    const from = BigInt(start);
    const { compareExchange } = Atomics;
    return compareExchange(this.#state, CLAIMED, from, BigInt(end)) === from;
  }

  /** Says that claimed bytes are in the file. */
  written(end: number): void {
    this.#end = end;
    this.#say(BigInt(end) * 2n);
  }

  /** Waits until the other thread has written what it has claimed. */
  async others(end: number): Promise<boolean> {
    for (;;) {
      const now = Atomics.load(this.#state, THERE);
      if (Number(now >> 1n) >= end) {
        this.#end = end;
        return true;
      }
      if (now & 1n || this.#hasEnded) return false;
      await waitForThread(this.#state, THERE, now);
    }
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
    await this.#thread?.terminate();
    return hex ?? this.#work.otherwise(this.#end);
  }

  cancel(): void {
    this.#say(STOP);
    this.#isCancelled = true;
    void this.#thread?.terminate().then(() => this.#hasEnded = true);
  }

  #say(here: bigint): void {
    if (this.#isCancelled) return;
    Atomics.store(this.#state, HERE, here);
    Atomics.notify(this.#state, HERE);
  }
}
