import { allocate, CHUNK } from "../streams/source.ts";
import { FileError } from "../errors/file_error.ts";
import { codeError } from "./errors.ts";
import { takeTurn } from "./fd.ts";
import { keepThread, startThread, waitForThread } from "./threads.ts";
import { beginRead, endRead } from "./waiting_read.ts";

/**
 * Chunks that the thread reads ahead. More make nothing quicker, and each takes
 * 10 MiB under Deno.
 */
const AHEAD = 1;

/** Where numbers are in the state that both threads share. */
const GO = 0, MADE = 1, TAKEN = 2, LENGTHS = 3;

const CANNOT = "Cannot read standard input";

/** In the place of a length: the read has failed. */
const FAILED = -1;

/**
 * What the thread runs. Once it may, it fills the ring's places one after
 * another, as soon as they are free. A place that is not full is the last one.
 */
const CODE = `
import("node:fs").then((fs) => {
  const { size, ahead } = data;
  const ring = new Uint8Array(data.ring);
  const state = new Int32Array(data.state);
  const wait = (at, value, time) => Atomics.wait(state, at, value, time);
  const read = (place) => {
    for (;;) {
      try {
        return fs.readSync(0, place, 0, place.length, null);
      } catch (error) {
        if (error.code !== "EAGAIN") throw error;
        wait(${GO}, 1, 1);
      }
    }
  };
  port.postMessage({ ready: true });
  wait(${GO}, 0);
  for (let made = 0, length = size; length === size; made++) {
    while (made - Atomics.load(state, ${TAKEN}) >= ahead) {
      wait(${TAKEN}, made - ahead);
    }
    const start = made % ahead * size;
    length = 0;
    try {
      while (length < size) {
        const count = read(ring.subarray(start + length, start + size));
        if (Atomics.load(state, ${GO}) !== 1) return;
        if (count === 0) break;
        length += count;
      }
    } catch ({ code }) {
      length = ${FAILED};
      port.postMessage({ code });
    }
    state[${LENGTHS} + made % ahead] = length;
    Atomics.store(state, ${MADE}, made + 1);
    Atomics.notify(state, ${MADE});
  }
});`;

/**
 * Another thread that reads standard input, ahead of who needs it. It waits
 * inside the system's calls, which runtimes do several times as quickly as they
 * wait for a pipe beside other work.
 */
export class PipeThread {
  readonly #ring = new Uint8Array(new SharedArrayBuffer(AHEAD * CHUNK));
  readonly #state = new Int32Array(
    new SharedArrayBuffer(4 * (LENGTHS + AHEAD)),
  );
  readonly #thread;
  /** Gets the reason why the thread can go on no more. */
  readonly #failure: Promise<Error>;
  #isReady = false;
  #hasEnded = false;
  #isDone = false;
  #taken = 0;

  /** Starts the thread, which reads nothing yet. */
  constructor() {
    const thread = startThread(CODE, {
      // Of a view Deno lists all numbers.
      ring: this.#ring.buffer,
      state: this.#state.buffer,
      size: CHUNK,
      ahead: AHEAD,
    });
    this.#thread = thread;
    this.#failure = new Promise((resolve) => {
      thread?.on("message", (message: { ready?: boolean; code?: string }) => {
        if (message.ready) this.#isReady = true;
        else resolve(codeError(CANNOT, message.code ?? "EIO"));
      });
      thread?.on("error", resolve);
      thread?.on("exit", () => {
        this.#isReady = false;
        this.#hasEnded = true;
        resolve(new FileError(`${CANNOT}: the thread for it has ended`));
        Atomics.notify(this.#state, MADE);
      });
    });
  }

  /** Whether it can read: only then it is quicker to let it do so. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Lets it read, and gives what it reads. Nobody else may read standard input
   * any more.
   *
   * @throws The system's error.
   */
  async *chunks(): AsyncGenerator<Uint8Array> {
    beginRead(0, this);
    this.#set(GO, 1);
    for (let length = CHUNK; length === CHUNK;) {
      await this.#made();
      const place = this.#taken % AHEAD;
      length = this.#state[LENGTHS + place]!;
      if (length < CHUNK) endRead(this);
      this.#isDone = 0 <= length && length < CHUNK;
      if (length === FAILED) throw await this.#failure;
      const chunk = length < CHUNK ? new Uint8Array(length) : allocate(CHUNK);
      chunk.set(this.#ring.subarray(place * CHUNK, place * CHUNK + length));
      this.#set(TAKEN, ++this.#taken);
      if (this.#isDone && this.#thread) keepThread(this.#thread);
      if (length > 0) yield chunk;
      await takeTurn();
    }
  }

  /** Waits until the next place of the ring is filled. */
  async #made(): Promise<void> {
    while (Atomics.load(this.#state, MADE) === this.#taken) {
      if (this.#hasEnded) throw await this.#failure;
      await waitForThread(this.#state, MADE, this.#taken);
    }
  }

  #set(at: number, value: number): void {
    Atomics.store(this.#state, at, value);
    Atomics.notify(this.#state, at);
  }

  /** Ends the thread, which may wait for a pipe of which nothing comes. */
  stop(): void {
    if (this.#isDone) return;
    this.#set(GO, 2);
    this.#set(TAKEN, this.#taken + 1);
    void this.#thread?.terminate();
  }
}
