import { release } from "../streams/source.ts";

const SLASH = 0x2f;

/** Short byte strings, each found by the number that adding it gave. */
export class Texts {
  readonly #page: number;
  readonly #pages: Uint8Array[] = [];
  #end = 0;

  /** @param page Bytes of memory that are taken at once. */
  constructor(page = 1 << 16) {
    this.#page = page;
  }

  /** @param text Fewer than 2^16 - 2 bytes: names and link targets have 4095. */
  add(text: Uint8Array): number {
    const size = text.length + 2;
    const room = this.#pages.length * this.#page - this.#end;
    if (size > room) {
      this.#end = this.#pages.length * this.#page;
      this.#pages.push(new Uint8Array(this.#page));
    }
    const place = this.#end;
    const page = this.#pages.at(-1)!;
    const at = place % this.#page;
    page[at] = text.length >>> 8;
    page[at + 1] = text.length & 0xff;
    page.set(text, at + 2);
    this.#end += size;
    return place;
  }

  /** How many bytes a string has. */
  length(place: number): number {
    const page = this.#pages[Math.floor(place / this.#page)]!;
    const at = place % this.#page;
    return page[at]! << 8 | page[at + 1]!;
  }

  /** @param length How many of its bytes; all unless given. */
  get(place: number, length = this.length(place)): Uint8Array {
    const page = this.#pages[Math.floor(place / this.#page)]!;
    const at = place % this.#page;
    return page.subarray(at + 2, at + 2 + length);
  }

  /**
   * Some bytes of a string as a number, the first one highest. What comes after
   * an end counts as zeros.
   *
   * @param count At most 6: a double holds no more.
   * @param end Where the string counts as ended.
   */
  number(place: number, start: number, count: number, end: number): number {
    const page = this.#pages[Math.floor(place / this.#page)]!;
    const from = place % this.#page + 2;
    let number = 0;
    for (let i = start; i < start + count; i++) {
      number = number * 256 + (i < end ? page[from + i]! : 0);
    }
    return number;
  }

  /**
   * Compares bytes of two strings, which both have them.
   *
   * @param start Where they begin in both.
   * @param end Where they end.
   */
  compareBytes(
    first: number,
    second: number,
    start: number,
    end: number,
  ): number {
    const a = this.#pages[Math.floor(first / this.#page)]!;
    const b = this.#pages[Math.floor(second / this.#page)]!;
    const inA = first % this.#page + 2;
    const inB = second % this.#page + 2;
    for (let i = start; i < end; i++) {
      const difference = a[inA + i]! - b[inB + i]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** Gives all memory back at once; what was got of it is empty afterwards. */
  release(): void {
    for (const page of this.#pages.splice(0)) release(page);
  }

  /**
   * Compares two paths component by component, by their bytes: a directory
   * comes before what it holds, and that before its next neighbour.
   */
  comparePaths(first: number, second: number): number {
    const common = this.commonLength(first, second);
    const a = this.#byte(first, common);
    const b = this.#byte(second, common);
    // A slash ends a name, and a shorter name comes first.
    return a === b
      ? 0
      : a === SLASH && b >= 0
      ? -1
      : b === SLASH && a >= 0
      ? 1
      : a - b;
  }

  /** How many bytes two strings have in common at their start. */
  commonLength(first: number, second: number): number {
    const a = this.#pages[Math.floor(first / this.#page)]!;
    const b = this.#pages[Math.floor(second / this.#page)]!;
    const inA = first % this.#page + 2;
    const inB = second % this.#page + 2;
    const length = Math.min(this.length(first), this.length(second));
    let i = 0;
    while (i < length && a[inA + i] === b[inB + i]) i++;
    return i;
  }

  /** A byte of a string; -1 after its end. */
  #byte(place: number, at: number): number {
    if (at >= this.length(place)) return -1;
    const page = this.#pages[Math.floor(place / this.#page)]!;
    return page[place % this.#page + 2 + at]!;
  }
}
