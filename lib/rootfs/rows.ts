/** Rows of a page of {@linkcode Rows}, and of the first one at the beginning. */
const PAGE = 1 << 14;
const SMALL = 1 << 8;
const NO_PAGE = new Uint32Array(0);

/**
 * A table of 32-bit numbers that grows by pages, so that growing copies nothing.
 * The numbers of a row are side by side in memory.
 */
export class Rows {
  /** How many numbers a row has. */
  readonly #width: number;
  readonly #pages: Uint32Array[] = [];
  /** How many rows there is room for. */
  #room = 0;

  /** @param width How many numbers a row has. */
  constructor(width: number) {
    this.#width = width;
  }

  /** The page with a row; an empty one if {@linkcode Rows.reach} has not made it. */
  page(row: number): Uint32Array {
    return this.#pages[row >>> 14] ?? NO_PAGE;
  }

  /** Where a row starts in its page. */
  start(row: number): number {
    return (row & (PAGE - 1)) * this.#width;
  }

  /** Makes room for a row. */
  reach(row: number): void {
    while (row >= this.#room) {
      if (this.#room >= PAGE) {
        this.#pages.push(new Uint32Array(PAGE * this.#width));
        this.#room += PAGE;
        continue;
      }
      // Of thousands of layers most have a few entries: the first page grows.
      this.#room = this.#room * 2 || SMALL;
      const larger = new Uint32Array(this.#room * this.#width);
      larger.set(this.page(0));
      this.#pages[0] = larger;
    }
  }
}
