import { PLACES, WORD } from "./copy_thread.ts";
import { waitForThread } from "./threads.ts";

/** How far the threads of a copy are: the {@linkcode WORD}s that both share. */
export class CopyCounts {
  readonly memory = new SharedArrayBuffer(4 * WORD.end);
  readonly #state = new Int32Array(this.memory);

  load(word: number): number {
    return Atomics.load(this.#state, word);
  }

  /** Sets a number that nobody waits for. */
  store(word: number, value: number): void {
    Atomics.store(this.#state, word, value);
  }

  /** Sets a number, and wakes the other thread. */
  say(word: number, value: number): void {
    this.store(word, value);
    Atomics.add(this.#state, WORD.here, 1);
    Atomics.notify(this.#state, WORD.here);
  }

  /** Claims a chunk or part: of both threads one alone works on it. */
  claims(word: number, count: number): boolean {
    const { compareExchange } = Atomics;
    return compareExchange(this.#state, word, count, count + 1) === count;
  }

  /** Whether somebody has done his work on a chunk or part. */
  is(word: number, count: number): boolean {
    return this.load(word + count % PLACES) === count + 1;
  }

  /** Says that the work on a chunk or part is done here. */
  done(word: number, count: number): void {
    this.store(word + count % PLACES, count + 1);
  }

  /**
   * Waits a little until the other thread has something to say.
   *
   * @param now What {@linkcode WORD.there} was before there was nothing to do.
   */
  wait(now: number): Promise<void> {
    return waitForThread(this.#state, WORD.there, now);
  }
}
