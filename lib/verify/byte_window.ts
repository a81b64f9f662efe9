import type { FileSource } from "../read/image_files.ts";
import { inputChanged } from "../errors/input_changed.ts";
import { release } from "../streams/source.ts";

/** A gap of fewer bytes is read, not skipped by a new stream. */
const NEAR = 1 << 22;

/** Reads stretches of a source that mostly come one after another. */
export class ByteWindow {
  readonly #source: FileSource;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Offset of the chunk in the source. */
  #start = 0;

  constructor(source: FileSource) {
    this.#source = source;
  }

  /** Whether the source goes so far; one that is cut short may not. */
  reaches(end: number): boolean {
    return end <= this.#source.size;
  }

  /**
   * Bytes from an offset on that are at hand: at least one, at most `length`, or
   * `undefined` if they have to be read first.
   */
  view(at: number, length: number): Uint8Array | undefined {
    const from = at - this.#start;
    if (from < 0 || from >= this.#chunk.length) return undefined;
    return this.#chunk.subarray(from, from + length);
  }

  /** Reads until there is something to view at an offset. */
  async load(at: number): Promise<void> {
    const end = this.#start + this.#chunk.length;
    if (!this.#reader || at < this.#start || at > end + NEAR) {
      await this.close();
      this.#reader = this.#source.slice(at, this.#source.size).stream()
        .getReader();
      this.#start = at;
    }
    while (at >= this.#start + this.#chunk.length) {
      const { value, done } = await this.#reader.read();
      if (done) throw inputChanged();
      this.#start += this.#chunk.length;
      release(this.#chunk);
      this.#chunk = value;
    }
  }

  /** Lets go of the source. */
  async close(): Promise<void> {
    await this.#reader?.cancel();
    this.#reader = undefined;
    this.#chunk = new Uint8Array(0);
  }
}

/** Whether two stretches of equal length are the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  const { length } = a;
  let i = 0;
  if ((a.byteOffset | b.byteOffset) % 4 === 0) {
    const words = length >>> 2;
    const one = new Int32Array(a.buffer, a.byteOffset, words);
    const two = new Int32Array(b.buffer, b.byteOffset, words);
    for (let word = 0; word < words; word++) {
      if (one[word] !== two[word]) return false;
    }
    i = words * 4;
  }
  for (; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}
