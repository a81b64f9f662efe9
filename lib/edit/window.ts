import { fromStream, readAt, type Source } from "../streams/source.ts";

/** Bytes that are read at once. */
const SIZE = 1 << 18;
/** Windows that are kept: what is near in order is near in the source, mostly. */
const KEPT = 24;

/** Reads stretches of a source in any order, large pieces of it at once. */
export class Windows {
  readonly #source: Source;
  readonly #windows = new Map<number, Uint8Array>();

  constructor(source: Source) {
    this.#source = source;
  }

  /** A stretch of the source, in pieces; they must not be changed. */
  async *read(start: number, end: number): AsyncGenerator<Uint8Array> {
    if (end - start >= SIZE) {
      yield* fromStream(this.#source.slice(start, end).stream());
      return;
    }
    for (let at = start; at < end;) {
      const number = Math.floor(at / SIZE);
      const window = this.#windows.get(number) ?? await this.#load(number);
      const from = at - number * SIZE;
      const piece = window.subarray(from, from + end - at);
      if (piece.length === 0) return;
      at += piece.length;
      yield piece;
    }
  }

  async #load(number: number): Promise<Uint8Array> {
    const window = await readAt(this.#source, number * SIZE, SIZE);
    if (this.#windows.size >= KEPT) {
      const [oldest] = this.#windows.keys();
      this.#windows.delete(oldest!);
    }
    this.#windows.set(number, window);
    return window;
  }
}
