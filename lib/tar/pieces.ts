import { concat } from "../streams/bytes.ts";

const EMPTY = new Uint8Array(0);

/**
 * What a buffer becomes: stretches of it and new bytes, in order. Stretches that
 * follow each other become one, so that a buffer that only changed in place goes
 * on without being copied.
 */
export class Pieces {
  readonly #buffer: Uint8Array;
  readonly #onWhole: (() => void) | undefined;
  #done: Uint8Array[] = [];
  #start = 0;
  #end = 0;

  /** @param onWhole Is called when {@linkcode take} gives the buffer itself. */
  constructor(buffer: Uint8Array, onWhole?: () => void) {
    this.#buffer = buffer;
    this.#onWhole = onWhole;
  }

  /** Adds a stretch of the buffer. */
  keep(start: number, end: number): void {
    if (start === end) return;
    if (start !== this.#end) this.#flush(start);
    this.#end = end;
  }

  /** Adds new bytes. */
  add(bytes: Uint8Array): void {
    this.#flush(this.#end);
    if (bytes.length > 0) this.#done.push(bytes);
  }

  /** The pieces themselves, views of the buffer among them. */
  list(): readonly Uint8Array[] {
    this.#flush(this.#end);
    return this.#done;
  }

  /**
   * All of it in one array: the buffer itself where that is the same, else a
   * copy. Starts anew with the rest of the buffer.
   */
  take(): Uint8Array {
    const done = this.cut();
    const [first] = done;
    if (!first) return EMPTY;
    const isWhole = done.length === 1 &&
      first.buffer === this.#buffer.buffer &&
      first.length === this.#buffer.length;
    if (!isWhole) return concat(done);
    this.#onWhole?.();
    return this.#buffer;
  }

  /** The pieces so far. Starts anew with the rest of the buffer. */
  cut(): readonly Uint8Array[] {
    const done = this.list();
    this.#done = [];
    return done;
  }

  #flush(next: number): void {
    if (this.#end > this.#start) {
      this.#done.push(this.#buffer.subarray(this.#start, this.#end));
    }
    this.#start = this.#end = next;
  }
}
