import { allocate, CHUNK } from "../streams/source.ts";
import { FileError } from "../errors/file_error.ts";
import { codeError } from "./errors.ts";
import { takeTurn } from "./fd.ts";
import { keepThread, startThread, waitForThread } from "./threads.ts";
import { beginRead, endRead } from "./waiting_read.ts";

/** Where numbers are in the state that both threads share. */
const GO = 0, MADE = 1, TAKEN = 2, LENGTH = 3;

const CANNOT = "Cannot read standard input";

/** In the place of a length: the read has failed. */
const FAILED = -1;

/**
 * What the thread runs. Once it may, it fills the memory that both threads share,
 * and does so again as soon as that is taken. What is not full is the last chunk.
 * Reading further ahead makes nothing quicker.
 */
const CODE = `
import("node:fs").then((fs) => {
  const { size } = data;
  const memory = new Uint8Array(data.memory);
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
    while (Atomics.load(state, ${TAKEN}) < made) wait(${TAKEN}, made - 1);
    length = 0;
    try {
      while (length < size) {
        const count = read(memory.subarray(length));
        if (Atomics.load(state, ${GO}) !== 1) return;
        if (count === 0) break;
        length += count;
      }
    } catch ({ code }) {
      length = ${FAILED};
      port.postMessage({ code });
    }
    state[${LENGTH}] = length;
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
  readonly #memory = new Uint8Array(new SharedArrayBuffer(CHUNK));
  readonly #state = new Int32Array(new SharedArrayBuffer(4 * (LENGTH + 1)));
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
      memory: this.#memory.buffer,
      state: this.#state.buffer,
      size: CHUNK,
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
      length = this.#state[LENGTH]!;
      if (length < CHUNK) endRead(this);
      this.#isDone = 0 <= length && length < CHUNK;
      if (length === FAILED) throw await this.#failure;
      const chunk = length < CHUNK ? new Uint8Array(length) : allocate(CHUNK);
      chunk.set(this.#memory.subarray(0, length));
      this.#set(TAKEN, ++this.#taken);
      if (this.#isDone && this.#thread) keepThread(this.#thread);
      if (length > 0) yield chunk;
      await takeTurn();
    }
  }

  /** Waits until the memory is filled. */
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
