import { wordsOf } from "../streams/words.ts";
import { NAME_MAX } from "../tar/path.ts";

const SLASH = 0x2f;
const DOT = 0x2e;

/** Longer paths of directories are not remembered, in bytes. */
const ROOM = 1 << 11;

/**
 * The directory of the last entry, as the entry's header writes it. Most entries are
 * in the directory of the one before; what is known of that need not be found out
 * again.
 */
export class LastDirectory {
  readonly #bytes = new Uint8Array(ROOM);
  readonly #words = new Uint32Array(this.#bytes.buffer);
  /** Its length; 0 of none. */
  #length = 0;
  /** How many bytes at the beginning are not part of the path in the tree. */
  #skipped = 0;

  /** Forgets it. */
  forget(): void {
    this.#length = 0;
  }

  /**
   * Remembers a directory.
   *
   * @param written Bytes that start with it.
   * @param length How many of them it has.
   * @param skipped How many at the beginning the tree has not, such as those of
   * `./`. All others must be as they are in the tree.
   * @returns Whether it is another one than before.
   */
  keep(written: Uint8Array, length: number, skipped: number): boolean {
    if (this.#length === length && this.#starts(written)) return false;
    this.#length = 0;
    if (length > ROOM) return false;
    this.#bytes.set(written.subarray(0, length));
    this.#length = length;
    this.#skipped = skipped;
    return true;
  }

  /**
   * The path in the tree of an entry in the directory.
   *
   * @param written The entry's path as its header has it.
   * @returns A view of it; `undefined` if the entry is elsewhere, or its name may be
   * one of those that mean something.
   */
  pathOf(written: Uint8Array): Uint8Array | undefined {
    const start = this.#length + 1;
    if (start === 1 || written[start - 1] !== SLASH) return undefined;
    let end = written.length;
    while (end > start && written[end - 1] === SLASH) end--;
    const isName = start < end && end - start <= NAME_MAX &&
      written[start] !== DOT;
    if (!isName) return undefined;
    for (let i = start; i < end; i++) {
      if (written[i] === SLASH) return undefined;
    }
    return this.#starts(written)
      ? written.subarray(this.#skipped, end)
      : undefined;
  }

  /** Whether bytes start with it. */
  #starts(written: Uint8Array): boolean {
    const bytes = this.#bytes;
    const length = this.#length;
    let at = 0;
    const words = wordsOf(written);
    if (words) {
      const first = written.byteOffset >>> 2;
      const own = this.#words;
      for (let i = 0; i < length >>> 2; i++) {
        if (words[first + i] !== own[i]) return false;
      }
      at = length & ~3;
    }
    for (; at < length; at++) if (written[at] !== bytes[at]) return false;
    return true;
  }
}
