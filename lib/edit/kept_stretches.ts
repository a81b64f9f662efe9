import type { Source } from "../streams/source.ts";
import { checkSame, Filler, fillFrom } from "./filler.ts";

/** Bytes of new headers at most: they are in memory. */
const MAX_NEW = 1 << 20;
/** Stretches at most, of 16 bytes each. */
const MAX_STRETCHES = 1 << 18;

/**
 * What edits leave of a tar, as stretches of it and new bytes between them: it can
 * be copied without a look at its headers.
 */
export class KeptStretches {
  /** Bytes of all. */
  size = 0;
  /** Whether it holds all, and is not too much for memory. */
  isWhole = true;
  /** Offsets where stretches start and end; new bytes have a negative number. */
  #places: number[] = [];
  #made: Uint8Array[] = [];
  #newSize = 0;

  /** Adds a stretch of the tar. */
  keep(start: number, end: number): void {
    if (start === end || !this.isWhole) return;
    this.size += end - start;
    const places = this.#places;
    if (places.at(-1) === start) places[places.length - 1] = end;
    else if (places.length >= 2 * MAX_STRETCHES) this.drop();
    else places.push(start, end);
  }

  /** Adds new bytes, of which it keeps a copy. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0 || !this.isWhole) return;
    this.size += bytes.length;
    this.#newSize += bytes.length;
    if (this.#newSize > MAX_NEW) return this.drop();
    this.#made.push(bytes.slice());
    this.#places.push(-this.#made.length, -this.#made.length);
  }

  /** Gives up: somebody has to read the headers again. */
  drop(): void {
    this.isWhole = false;
    this.#places = [];
    this.#made = [];
  }

  /** Where the stretches start and end, in turn. */
  get stretches(): number[] {
    return this.#places.filter((place) => place >= 0);
  }

  /**
   * All of it, as lists of pieces.
   *
   * @param chunks The bytes of the stretches.
   */
  async *pieces(
    chunks: AsyncGenerator<Uint8Array>,
  ): AsyncGenerator<readonly Uint8Array[]> {
    const places = this.#places;
    let at = 0;
    /** Bytes of the stretch that are still to come. */
    let left = 0;
    const news = () => {
      const made: Uint8Array[] = [];
      for (; left === 0 && at < places.length; at += 2) {
        const start = places[at]!;
        if (start < 0) made.push(this.#made[-start - 1]!);
        else left = places[at + 1]! - start;
      }
      return made;
    };
    for await (const chunk of chunks) {
      const pieces: Uint8Array[] = [];
      let start = 0;
      for (let end = 0; end < chunk.length;) {
        const made = news();
        if (made.length > 0) {
          if (end > start) pieces.push(chunk.subarray(start, end));
          pieces.push(...made);
          start = end;
        }
        const step = Math.min(left, chunk.length - end);
        left -= step;
        end += step;
      }
      pieces.push(chunk.subarray(start));
      yield pieces;
    }
    yield news();
  }

  /** All of it, in large chunks. */
  async *chunks(base: Source): AsyncGenerator<Uint8Array> {
    const filler = new Filler(this.size);
    const places = this.#places;
    for (let i = 0; i < places.length; i += 2) {
      let at = places[i]!;
      if (at < 0) filler.add(this.#made[-at - 1]!);
      if (filler.isFull) yield* filler.take();
      for (const end = places[i + 1]!; at < end;) {
        const room = filler.room(end - at);
        const waiting = fillFrom(base, room, at);
        if (waiting) await waiting;
        at += room.length;
        if (filler.isFull) yield* filler.take();
      }
    }
    await checkSame(base);
  }
}
