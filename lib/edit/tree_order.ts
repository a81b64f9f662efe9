import { InputError } from "../errors/input_error.ts";
import { NODE, PathIndex } from "../rootfs/path_index.ts";
import { startsWith } from "../streams/bytes.ts";
import type { EntryTable } from "./entry_table.ts";

const SLASH = 0x2f;
const ROOT = 0;
/** Bytes of a name that a double holds as a number. */
const KEY = 6;
/** Bytes that two numbers hold: hardly any names of a directory share more. */
const KEYS = 2 * KEY;
/**
 * How many directories without an entry a tree may have: each costs memory, and
 * a long path has thousands.
 */
const MAX_MISSING = 1 << 18;
const DIRECTORY = { node: NODE.directory, offset: 0, link: 0 } as const;

/**
 * The rows of a table as a tree: a directory comes before what it holds, names
 * come in the order of their bytes, and of rows with one path the last one counts.
 *
 * Names are compared within their directory alone, by numbers that their first
 * bytes make: comparing whole paths takes several times as long.
 */
export class TreeOrder {
  readonly #table: EntryTable;
  /** How many rows there are. */
  readonly #count: number;
  readonly #index = new PathIndex();
  /** For each directory the first row in it, and how long its path is. */
  readonly #rows: number[] = [];
  readonly #lengths: number[] = [];
  /** The directory of each item: of rows, and of directories after them. */
  readonly #parents: number[];
  /** The row of the root. */
  #root = -1;

  constructor(table: EntryTable) {
    this.#table = table;
    this.#count = table.length;
    this.#parents = new Array(this.#count).fill(-1);
    if (this.#count === 0) return;
    this.#add(0, 0, -1);
    let last = table.path(0).subarray(0, 0);
    let parent = ROOT;
    for (let row = 0; row < this.#count; row++) {
      const path = table.path(row);
      if (path.length === 0) {
        this.#root = row;
        continue;
      }
      const cut = Math.max(path.lastIndexOf(SLASH), 0);
      if (cut !== last.length || !startsWith(path, last)) {
        last = path.subarray(0, cut);
        parent = this.#directory(row, path, cut);
      }
      this.#parents[row] = parent;
    }
  }

  /**
   * The rows in order.
   *
   * @param missing Makes the row of a directory that has none, by its path;
   * without it such directories get none.
   */
  list(missing?: (path: Uint8Array) => number): number[] {
    const order: number[] = [];
    if (this.#count === 0) return order;
    if (this.#root >= 0) order.push(this.#root);
    else if (missing) order.push(missing(this.#path(this.#count + ROOT)));
    const { items, places, compare } = this.#sorted();
    const ends = places.slice(1);
    const stack: number[] = [ROOT];
    for (let top; (top = stack.at(-1)) !== undefined;) {
      const at = places[top]!++;
      if (at === ends[top]) {
        stack.pop();
        continue;
      }
      const item = items[at]!;
      const isSame = (other: number) => compare(item, items[other]!) === 0;
      if (item < this.#count) {
        const next = at + 1;
        const isLast = next === ends[top] || items[next]! >= this.#count ||
          !isSame(next);
        if (isLast) order.push(item);
        continue;
      }
      const hasRow = at > 0 && this.#parents[items[at - 1]!] === top &&
        isSame(at - 1);
      if (!hasRow && missing) order.push(missing(this.#path(item)));
      stack.push(item - this.#count);
    }
    return order;
  }

  /** The directory of a row, by the first bytes of its path. */
  #directory(row: number, path: Uint8Array, length: number): number {
    if (length === 0) return ROOT;
    const known = this.#index.find(path, length);
    if (known >= 0) return known;
    const above = Math.max(path.lastIndexOf(SLASH, length - 1), 0);
    return this.#add(row, length, this.#directory(row, path, above));
  }

  #add(row: number, length: number, parent: number): number {
    if (this.#rows.length > this.#count + MAX_MISSING) {
      throw new InputError(
        `More than ${MAX_MISSING} directories have no entry of their own; ` +
          "archive the tree anew with tar",
      );
    }
    this.#rows.push(row);
    this.#lengths.push(length);
    this.#parents.push(parent);
    return this.#index.add(this.#table.path(row), DIRECTORY, length);
  }

  #path(item: number): Uint8Array {
    return this.#table.path(this.#row(item)).subarray(0, this.#length(item));
  }

  /** A row whose path is an item's, or begins with it. */
  #row(item: number): number {
    return item < this.#count ? item : this.#rows[item - this.#count]!;
  }

  /** How many bytes of that path are the item's. */
  #length(item: number): number {
    return item < this.#count
      ? this.#table.pathLength(item)
      : this.#lengths[item - this.#count]!;
  }

  /** Where the name of an item begins in its path. */
  #name(item: number): number {
    const above = this.#lengths[this.#parents[item]!]!;
    return above === 0 ? 0 : above + 1;
  }

  /**
   * The items by directory, each directory's in order.
   *
   * @returns The items, the place of each directory's first one, and how items of
   * one directory compare by name; rows of one name are in their order, and the
   * directory comes after them.
   */
  #sorted() {
    const { items, places } = this.#grouped();
    const keys = new Float64Array(2 * this.#parents.length);
    for (const item of items) {
      const name = this.#name(item);
      keys[2 * item] = this.#number(item, name);
      keys[2 * item + 1] = this.#number(item, name + KEY);
    }
    const compare = (a: number, b: number) =>
      keys[2 * a]! - keys[2 * b]! || keys[2 * a + 1]! - keys[2 * b + 1]! ||
      this.#compareRest(a, b);
    const inOrder = (a: number, b: number) => compare(a, b) || a - b;
    for (let i = 1; i < places.length; i++) {
      const group = items.subarray(places[i - 1], places[i]);
      let isSorted = true;
      for (let j = 1; j < group.length && isSorted; j++) {
        isSorted = inOrder(group[j - 1]!, group[j]!) < 0;
      }
      if (!isSorted) group.sort(inOrder);
    }
    return { items, places, compare };
  }

  #grouped(): { items: Uint32Array; places: Uint32Array } {
    const places = new Uint32Array(this.#rows.length + 1);
    for (const parent of this.#parents) if (parent >= 0) places[parent + 1]!++;
    for (let i = 1; i < places.length; i++) places[i]! += places[i - 1]!;
    const items = new Uint32Array(places.at(-1)!);
    const next = places.slice();
    const parents = this.#parents;
    for (let item = 0; item < parents.length; item++) {
      const parent = parents[item]!;
      if (parent >= 0) items[next[parent]!++] = item;
    }
    return { items, places };
  }

  /** Some bytes of an item's path as a number. */
  #number(item: number, start: number): number {
    return this.#table.pathNumber(
      this.#row(item),
      start,
      KEY,
      this.#length(item),
    );
  }

  #compareRest(a: number, b: number): number {
    const inA = this.#length(a);
    const inB = this.#length(b);
    const rest = this.#table.comparePaths(
      this.#row(a),
      this.#row(b),
      this.#name(a) + KEYS,
      Math.min(inA, inB),
    );
    return rest || inA - inB;
  }
}
