import { InputError } from "../errors/input_error.ts";
import type { Entry } from "../tar/entry.ts";

/**
 * Bytes at most that a compressed input may hold, and that the holes of sparse
 * files may take, unless the user says otherwise.
 */
export const MAX_UNPACKED = 32 * 2 ** 30;

/** Counts the bytes that the holes of sparse files take. */
export class Holes {
  readonly #limit: number;
  #size = 0;

  /** @param limit Bytes that the holes may take, of all layers together. */
  constructor(limit = MAX_UNPACKED) {
    this.#limit = limit;
  }

  /**
   * Counts the holes of an entry, if it is a sparse file.
   *
   * @throws {InputError} If they are more than the limit.
   */
  count({ sparse, size, stored }: Entry): void {
    if (!sparse) return;
    this.#size += size - stored;
    if (this.#size > this.#limit) {
      throw new InputError(
        `With its holes filled, sparse files grow by more than ${this.#limit} ` +
          "bytes; if that is what you want, raise the limit with --max-unpacked",
      );
    }
  }
}
