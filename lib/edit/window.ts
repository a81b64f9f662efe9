import { fromStream, readAt, type Source } from "../streams/source.ts";

/** Bytes that are read at once, and from which on a stream is better. */
const SIZE = 1 << 18;
/** How far apart two stretches may be for the next one to be near, too. */
const NEAR = 1 << 14;
/** Windows that are kept. */
const KEPT = 16;

/** A part of the source that is in memory. */
interface Window {
  start: number;
  bytes: Uint8Array;
}

/**
 * Reads stretches of a source in any order. Where one comes near the one before
 * it, in either direction, a large piece is read at once; else no more than the
 * stretch.
 */
export class Windows {
  readonly #source: Source;
  #windows: Window[] = [];
  #last = { start: 0, end: 0 };
  /** Memory for stretches that are read alone. */
  readonly #alone = new Uint8Array(SIZE);

  constructor(source: Source) {
    this.#source = source;
  }

  /**
   * A stretch of the source, in pieces; they must not be changed, and are good
   * until the next call.
   */
  async *read(start: number, end: number): AsyncGenerator<Uint8Array> {
    if (end - start >= SIZE) {
      yield* fromStream(this.#source.slice(start, end).stream());
      return;
    }
    const held = this.#windows.find((window) =>
      start >= window.start && end <= window.start + window.bytes.length
    );
    const last = this.#last;
    this.#last = { start, end };
    if (held) yield held.bytes.subarray(start - held.start, end - held.start);
    else yield await this.#load(start, end, last);
  }

  async #load(
    start: number,
    end: number,
    last: { start: number; end: number },
  ) {
    let from = start;
    let to = end;
    if (start >= last.end && start - last.end < NEAR) to = start + SIZE;
    else if (last.start >= end && last.start - end < NEAR) {
      from = Math.max(end - SIZE, 0);
    } else return await this.#readAlone(start, end);
    const bytes = await readAt(this.#source, from, to - from);
    this.#windows = [
      { start: from, bytes },
      ...this.#windows.slice(0, KEPT - 1),
    ];
    return bytes.subarray(start - from, end - from);
  }

  async #readAlone(start: number, end: number): Promise<Uint8Array> {
    const { fill } = this.#source;
    if (!fill) return await readAt(this.#source, start, end - start);
    const buffer = this.#alone.subarray(0, end - start);
    return buffer.subarray(0, fill.call(this.#source, buffer, start));
  }
}
