/**
 * A list of 32-bit numbers that grows by pages, so that growing copies nothing.
 */
export class Column {
  static readonly #PAGE = 1 << 14;
  readonly #pages: Uint32Array[] = [];

  get(index: number): number {
    return this.#pages[index >>> 14]?.[index & (Column.#PAGE - 1)] ?? 0;
  }

  set(index: number, value: number): void {
    const page = index >>> 14;
    while (this.#pages.length <= page) {
      this.#pages.push(new Uint32Array(Column.#PAGE));
    }
    this.#pages[page]![index & (Column.#PAGE - 1)] = value;
  }
}

/** Byte strings of up to 65,535 bytes, each at a number of its own. */
export class TextPool {
  static readonly #PAGE = 1 << 17;
  readonly #pages: Uint8Array[] = [];
  /** Bytes used of the last page. */
  #used = TextPool.#PAGE;

  /**
   * Adds a string.
   *
   * @returns Its number.
   */
  add(text: Uint8Array): number {
    if (this.#used + 2 + text.length > TextPool.#PAGE) {
      this.#pages.push(new Uint8Array(TextPool.#PAGE));
      this.#used = 0;
    }
    const page = this.#pages.at(-1)!;
    const at = this.#used;
    page[at] = text.length & 0xff;
    page[at + 1] = text.length >>> 8;
    page.set(text, at + 2);
    this.#used = at + 2 + text.length;
    return (this.#pages.length - 1) * TextPool.#PAGE + at;
  }

  /** A string by its number: a view. */
  get(number: number): Uint8Array {
    const page = this.#pages[Math.floor(number / TextPool.#PAGE)]!;
    const at = number % TextPool.#PAGE;
    return page.subarray(at + 2, at + 2 + page[at]! + page[at + 1]! * 256);
  }

  /** Whether a string is the bytes from `from` to `to` of another one. */
  equals(number: number, text: Uint8Array, from: number, to: number): boolean {
    const page = this.#pages[Math.floor(number / TextPool.#PAGE)]!;
    const at = number % TextPool.#PAGE;
    const length = page[at]! + page[at + 1]! * 256;
    if (length !== to - from) return false;
    for (let i = 0; i < length; i++) {
      if (page[at + 2 + i] !== text[from + i]) return false;
    }
    return true;
  }
}
