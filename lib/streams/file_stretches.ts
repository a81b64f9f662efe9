import type { Patchwork } from "./patchwork.ts";
import { PiecesOfFile } from "./pieces_of_file.ts";
import { CHUNK, type FilePlace } from "./source.ts";

/** Stretches of a file, one after the other. */
export class FileStretches implements Patchwork {
  readonly listSize: number;
  readonly code: string;
  readonly #place: FilePlace;
  /** Offsets of the stretches in the file. */
  readonly #starts: Float64Array;
  /** How many bytes come before each of them, and the bytes of all. */
  readonly #sums: Float64Array;
  /** The stretch that was laid out last. */
  #stretch = 0;

  /**
   * @param stretches Where each starts and ends, in turn; all of the file unless
   * given.
   */
  constructor(
    place: FilePlace,
    stretches: readonly number[] = [0, place.size],
  ) {
    this.#place = place;
    this.code = place.code;
    const count = stretches.length / 2;
    this.#starts = new Float64Array(count);
    this.#sums = new Float64Array(count + 1);
    // How many stretches start in the newest chunk, and in one at most.
    let inChunk = 0;
    let most = 0;
    for (let i = 0; i < count; i++) {
      const start = stretches[2 * i]!;
      const size = stretches[2 * i + 1]! - start;
      const sum = this.#sums[i]!;
      this.#starts[i] = place.start + start;
      this.#sums[i + 1] = sum + size;
      inChunk++;
      most = Math.max(most, inChunk);
      if (Math.floor((sum + size) / CHUNK) > Math.floor(sum / CHUNK)) {
        inChunk = 0;
      }
    }
    // One more may have started before.
    this.listSize = PiecesOfFile.listSize(most + 1);
  }

  /** Bytes of all stretches. */
  get size(): number {
    return this.#sums.at(-1)!;
  }

  layOut(chunk: Uint8Array, start: number, list: Uint8Array): void {
    const pieces = new PiecesOfFile(list);
    pieces.clear();
    const starts = this.#starts;
    const sums = this.#sums;
    while (sums[this.#stretch]! > start) this.#stretch--;
    for (let done = 0; done < chunk.length;) {
      const at = start + done;
      while (sums[this.#stretch + 1]! <= at) this.#stretch++;
      const skip = at - sums[this.#stretch]!;
      const left = sums[this.#stretch + 1]! - at;
      const length = Math.min(left, chunk.length - done);
      pieces.add(starts[this.#stretch]! + skip, done, length);
      done += length;
    }
  }

  read(chunk: Uint8Array, list: Uint8Array): void {
    new PiecesOfFile(list).readInto(chunk, this.#place);
  }

  check(): void {
    this.#place.check();
  }
}
