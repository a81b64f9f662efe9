import type { FilePlace, Making } from "../streams/source.ts";

/** Stretches of a file, one after the other, in memory that threads can share. */
export class FileStretches {
  /** Offsets of the stretches in the file. */
  readonly starts: Float64Array<SharedArrayBuffer>;
  /** How many bytes come before each of them, and the bytes of all. */
  readonly sums: Float64Array<SharedArrayBuffer>;
  readonly #place: FilePlace;
  #stretch = 0;

  constructor({ place, stretches = [0, place.size] }: Making) {
    this.#place = place;
    const count = stretches.length / 2;
    this.starts = new Float64Array(new SharedArrayBuffer(8 * count));
    this.sums = new Float64Array(new SharedArrayBuffer(8 * (count + 1)));
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const start = stretches[2 * i]!;
      this.starts[i] = place.start + start;
      sum += stretches[2 * i + 1]! - start;
      this.sums[i + 1] = sum;
    }
  }

  /** Bytes of all stretches. */
  get size(): number {
    return this.sums.at(-1)!;
  }

  /**
   * Fills memory from an offset in the stretches on.
   *
   * @throws {Error} If the file is not what it was.
   */
  fill(bytes: Uint8Array, at: number): Uint8Array {
    const { starts, sums } = this;
    const { read, check } = this.#place;
    while (sums[this.#stretch]! > at) this.#stretch--;
    for (let done = 0; done < bytes.length;) {
      while (sums[this.#stretch + 1]! <= at + done) this.#stretch++;
      const skip = at + done - sums[this.#stretch]!;
      const room = bytes.subarray(done, sums[this.#stretch + 1]! - at);
      if (read(room, starts[this.#stretch]! + skip) < room.length) check(true);
      done += room.length;
    }
    return bytes;
  }
}
