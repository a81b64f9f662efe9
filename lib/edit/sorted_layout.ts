import { fileHeader, putFileHeader } from "../directory/file_header.ts";
import type { FileRecord } from "../directory/file_list.ts";
import { closing } from "../tar/header.ts";
import type { EntryTable } from "./entry_table.ts";

/** Where the entries of a sorted tar are in it. */
export class SortedLayout {
  /** Bytes of the tar. */
  readonly size: number;
  readonly table: EntryTable;
  readonly #order: readonly number[];
  readonly #firsts: Uint32Array;
  readonly #starts: Float64Array;

  /**
   * @param order Rows of the table, in order.
   * @param firsts For each row the row of its file's first name.
   */
  constructor(
    table: EntryTable,
    order: readonly number[],
    firsts: Uint32Array,
  ) {
    this.table = table;
    this.#order = order;
    this.#firsts = firsts;
    this.#starts = new Float64Array(order.length + 1);
    let at = 0;
    for (let i = 0; i < order.length; i++) {
      this.#starts[i] = at;
      const row = order[i]!;
      const first = this.#first(i);
      at += table.headerSize(row, first) + table.stored(row, first);
    }
    this.#starts[order.length] = at;
    this.size = at + closing().length;
  }

  /** How many entries there are. */
  get length(): number {
    return this.#order.length;
  }

  /** Where an entry starts, in bytes; after the last one comes the tar's end. */
  start(i: number): number {
    return this.#starts[i]!;
  }

  headerSize(i: number): number {
    return this.start(i + 1) - this.start(i) - this.stored(i);
  }

  /** Bytes of data that an entry has, with padding. */
  stored(i: number): number {
    return this.table.stored(this.#order[i]!, this.#first(i));
  }

  /** The row whose file an entry is. */
  file(i: number): number {
    return this.table.file(this.#order[i]!);
  }

  /** The header blocks of an entry. */
  header(i: number): Uint8Array {
    return fileHeader(this.#record(i));
  }

  /**
   * Writes the header block of an entry, if it has one alone.
   *
   * @returns Whether it has.
   */
  putHeader(i: number, bytes: Uint8Array, at: number): boolean {
    return putFileHeader(this.#record(i), bytes, at);
  }

  /** The entry that holds a byte. */
  indexOf(offset: number): number {
    let low = 0;
    let high = this.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #first(i: number): number {
    return this.#firsts[this.#order[i]!]!;
  }

  #record(i: number): FileRecord {
    return this.table.record(this.#order[i]!, this.#first(i));
  }
}
