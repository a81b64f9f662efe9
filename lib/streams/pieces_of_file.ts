import type { FilePlace } from "./source.ts";

/** Numbers that a piece takes in a list. */
const WIDTH = 3;

/**
 * Pieces of one file that go into a chunk, as numbers in memory that threads can
 * share: how many there are, then each one's offset in the file, its offset in
 * the chunk, and its length, all in bytes.
 */
export class PiecesOfFile {
  readonly #numbers: Float64Array;

  /** @param list Memory of {@linkcode PiecesOfFile.listSize} bytes. */
  constructor(list: Uint8Array) {
    const { buffer, byteOffset, length } = list;
    this.#numbers = new Float64Array(buffer, byteOffset, length / 8);
  }

  /** Bytes of memory that so many pieces take. */
  static listSize(pieces: number): number {
    return 8 * (1 + WIDTH * pieces);
  }

  clear(): void {
    this.#numbers[0] = 0;
  }

  add(position: number, at: number, length: number): void {
    const numbers = this.#numbers;
    const piece = numbers[0]!++;
    numbers[1 + WIDTH * piece] = position;
    numbers[2 + WIDTH * piece] = at;
    numbers[3 + WIDTH * piece] = length;
  }

  /**
   * Reads all pieces into their chunk.
   *
   * @throws {FileError} If the file is not what it was.
   */
  readInto(
    chunk: Uint8Array,
    { read, check }: Pick<FilePlace, "read" | "check">,
  ): void {
    const numbers = this.#numbers;
    const end = 1 + WIDTH * numbers[0]!;
    for (let i = 1; i < end; i += WIDTH) {
      const at = numbers[i + 1]!;
      const room = chunk.subarray(at, at + numbers[i + 2]!);
      if (read(room, numbers[i]!) < room.length) check(true);
    }
  }
}
