import { CHUNK } from "../streams/source.ts";
import { waitForThread } from "./threads.ts";

// Words of the state that both threads share.

/** How many slots have been filled, twice; one more once that is all. */
const FILLED = 0;
/** How many of them the other thread has done. */
const DONE = 1;
/** How many bytes the last slot has. */
const LAST = 2;
/** Whether the other thread is to stop: it may run on after terminate(). */
const STOP = 3;

const SLOTS = 16;
/** How many slots make it worth to wake the other thread: that takes long. */
const STEP = 4;

/**
 * What a thread runs to take all bytes of a {@linkcode Ring} in order; it
 * returns if it is to stop.
 *
 * @param take Takes those of `ring` from `start` up to `end`.
 */
export const takeRing = (take: string) => `
  const state = new Int32Array(data.state);
  const ring = new Uint8Array(data.ring);
  const size = ring.length / ${SLOTS};
  for (let done = 0;;) {
    const now = Atomics.load(state, ${FILLED});
    if (Atomics.load(state, ${STOP})) return;
    if (done === now >> 1) {
      if (now & 1) break;
      Atomics.wait(state, ${FILLED}, now);
      continue;
    }
    const isLast = (now & 1) && done + 1 === now >> 1;
    const start = (done % ${SLOTS}) * size;
    const end = start + (isLast ? Atomics.load(state, ${LAST}) : size);
    ${take}
    done++;
    Atomics.store(state, ${DONE}, done);
    if (done % ${STEP} === 0) Atomics.notify(state, ${DONE});
  }`;

/** Memory by which bytes go to another thread, in order. */
export class Ring {
  readonly #state = new Int32Array(new SharedArrayBuffer(16));
  readonly #ring: Uint8Array<SharedArrayBuffer>;
  /** Bytes in a slot. */
  readonly #slot: number;
  #filled = 0;
  /** Bytes in the slot that is being filled. */
  #used = 0;

  /** @param slot Bytes that the other thread takes at once. */
  constructor(slot = CHUNK) {
    this.#slot = slot;
    this.#ring = new Uint8Array(new SharedArrayBuffer(SLOTS * slot));
  }

  /** What the other thread gets: of a view, Deno lists all numbers. */
  get data(): { state: SharedArrayBuffer; ring: SharedArrayBuffer } {
    return { state: this.#state.buffer, ring: this.#ring.buffer };
  }

  /** Fills slots; gives the bytes for which there is no room now. */
  take(bytes: Uint8Array): Uint8Array {
    while (bytes.length > 0) {
      // A slot is passed on when more comes: the last one is another case.
      if (this.#used === this.#slot) {
        if (this.#filled + 1 - Atomics.load(this.#state, DONE) >= SLOTS) break;
        this.#used = 0;
        this.#filled++;
        Atomics.store(this.#state, FILLED, this.#filled * 2);
        if (this.#filled % STEP === 0) Atomics.notify(this.#state, FILLED);
      }
      const start = (this.#filled % SLOTS) * this.#slot + this.#used;
      const part = bytes.subarray(0, this.#slot - this.#used);
      this.#ring.set(part, start);
      this.#used += part.length;
      bytes = bytes.subarray(part.length);
    }
    return bytes;
  }

  /**
   * Waits for room that makes it worth to be woken.
   *
   * @param hasEnded Whether the other thread makes none any more.
   * @returns Whether there is room.
   */
  async room(hasEnded: () => boolean): Promise<boolean> {
    for (;;) {
      const done = Atomics.load(this.#state, DONE);
      if (this.#filled - done <= SLOTS - STEP) return true;
      if (hasEnded()) return false;
      await waitForThread(this.#state, DONE, done);
    }
  }

  /** Says that no more comes. */
  end(): void {
    // The last slot may be full, but must be there.
    Atomics.store(this.#state, LAST, this.#used);
    this.#filled++;
    Atomics.store(this.#state, FILLED, this.#filled * 2 + 1);
    Atomics.notify(this.#state, FILLED);
  }

  /** Says that the other thread is to stop. */
  stop(): void {
    Atomics.store(this.#state, STOP, 1);
    Atomics.notify(this.#state, FILLED);
  }

  /** All bytes that have come, if they are still there: none has been done. */
  get whole(): Uint8Array | undefined {
    if (Atomics.load(this.#state, DONE) > 0) return undefined;
    return this.#ring.subarray(0, this.#filled * this.#slot + this.#used);
  }
}
