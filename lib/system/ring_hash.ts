import { FileError } from "../errors/file_error.ts";
import { sha256, type SideHash } from "../streams/sha256.ts";
import { CHUNK } from "../streams/source.ts";
import {
  paysThread,
  resultOf,
  startThread,
  type Thread,
  waitForThread,
} from "./threads.ts";

// Words of the state that both threads share.

/** How many slots have been filled, twice; one more once that is all. */
const FILLED = 0;
/** How many of them have been hashed. */
const HASHED = 1;
/** How many bytes the last slot has. */
const LAST = 2;
/** Whether the other thread is to stop: it may run on after terminate(). */
const STOP = 3;

/** Slots of a chunk each. */
const SLOTS = 16;
/** How many slots make it worth to wake the other thread: that takes long. */
const STEP = 4;

/** What the thread runs. */
const CODE = `
import("node:crypto").then(({ createHash }) => {
  const state = new Int32Array(data.state);
  const ring = new Uint8Array(data.ring);
  const hash = createHash("sha256");
  for (let hashed = 0;;) {
    const now = Atomics.load(state, ${FILLED});
    if (Atomics.load(state, ${STOP})) return;
    if (hashed === now >> 1) {
      if (now & 1) break;
      Atomics.wait(state, ${FILLED}, now);
      continue;
    }
    const isLast = (now & 1) && hashed + 1 === now >> 1;
    const start = (hashed % ${SLOTS}) * ${CHUNK};
    const size = isLast ? Atomics.load(state, ${LAST}) : ${CHUNK};
    hash.update(ring.subarray(start, start + size));
    hashed++;
    Atomics.store(state, ${HASHED}, hashed);
    if (hashed % ${STEP} === 0) Atomics.notify(state, ${HASHED});
  }
  port.postMessage(hash.digest("hex"));
});`;

/**
 * Starts a SHA-256 in another thread, if there is a core for it.
 *
 * @param size How many bytes will come; few are not worth it.
 */
export function hashBeside(size: number): SideHash | undefined {
  // A hash is a part of the work only, and Deno does nothing else while it starts
  // a thread.
  return paysThread(size / 4) ? new RingHash() : undefined;
}

/** A SHA-256 of bytes that go to another thread, by memory that both share. */
export class RingHash implements SideHash {
  readonly #state = new Int32Array(new SharedArrayBuffer(16));
  readonly #ring = new Uint8Array(new SharedArrayBuffer(SLOTS * CHUNK));
  readonly #thread: Thread | undefined;
  readonly #result: Promise<string | undefined>;
  #hasEnded = false;
  #filled = 0;
  /** Bytes in the slot that is being filled. */
  #used = 0;
  /** Hashes here, if the thread does not start. */
  #own: ReturnType<typeof sha256> | undefined;

  constructor() {
    // Deno takes long for a view of them.
    const { state, ring } = {
      state: this.#state.buffer,
      ring: this.#ring.buffer,
    };
    const thread = startThread(CODE, { state, ring });
    this.#thread = thread;
    this.#result = resultOf(thread, () => this.#hasEnded = true);
  }

  update(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#own) return void this.#own.update(bytes);
    const rest = this.#take(bytes);
    return rest.length === 0 ? undefined : this.#wait(rest);
  }

  async hex(): Promise<string> {
    if (!this.#own) {
      const size = this.#size;
      this.#thread?.ref();
      // The last slot may be full, but must be there.
      Atomics.store(this.#state, LAST, this.#used);
      this.#filled++;
      Atomics.store(this.#state, FILLED, this.#filled * 2 + 1);
      Atomics.notify(this.#state, FILLED);
      const hex = await this.#result;
      await this.#thread?.terminate();
      if (hex !== undefined) return hex;
      this.#goOn(size);
    }
    return this.#own!.hex();
  }

  async cancel(): Promise<void> {
    Atomics.store(this.#state, STOP, 1);
    await this.#thread?.terminate();
  }

  /** Fills slots; gives the bytes for which there is no room now. */
  #take(bytes: Uint8Array): Uint8Array {
    while (bytes.length > 0) {
      // A slot is passed on when more comes: the last one is another case.
      if (this.#used === CHUNK) {
        if (this.#filled + 1 - Atomics.load(this.#state, HASHED) >= SLOTS) {
          break;
        }
        this.#used = 0;
        this.#filled++;
        Atomics.store(this.#state, FILLED, this.#filled * 2);
        if (this.#filled % STEP === 0) Atomics.notify(this.#state, FILLED);
      }
      const start = (this.#filled % SLOTS) * CHUNK + this.#used;
      const part = bytes.subarray(0, CHUNK - this.#used);
      this.#ring.set(part, start);
      this.#used += part.length;
      bytes = bytes.subarray(part.length);
    }
    return bytes;
  }

  /** Takes the bytes as room for them comes. */
  async #wait(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      await this.#room();
      if (this.#own) return this.#own.update(rest);
      rest = this.#take(rest);
    }
  }

  /** Waits for room that makes it worth to be woken. */
  async #room(): Promise<void> {
    for (;;) {
      const hashed = Atomics.load(this.#state, HASHED);
      if (this.#filled - hashed <= SLOTS - STEP) return;
      await waitForThread(this.#state, HASHED, hashed);
      if (this.#hasEnded) return this.#goOn(this.#size);
    }
  }

  get #size(): number {
    return this.#filled * CHUNK + this.#used;
  }

  /**
   * Hashes here, from the first byte on, if that is still in the ring.
   *
   * @param size Bytes that are in the ring.
   */
  #goOn(size: number): void {
    if (Atomics.load(this.#state, HASHED) > 0) {
      throw new FileError(
        "The thread that checks digests has ended, perhaps for lack of memory: " +
          "try again",
      );
    }
    this.#own = sha256();
    this.#own.update(this.#ring.subarray(0, size));
  }
}
