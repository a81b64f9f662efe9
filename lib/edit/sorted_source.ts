import { fileHeader } from "../directory/file_header.ts";
import { inputChanged } from "../errors/input_changed.ts";
import { NODE, PathIndex } from "../rootfs/path_index.ts";
import { StoredEntries } from "../rootfs/stored_entries.ts";
import { allocate, CHUNK, type Source, toStream } from "../streams/source.ts";
import { BLOCK } from "../tar/block.ts";
import { closing } from "../tar/header.ts";
import { SparseExpander } from "../tar/sparse.ts";
import type { EntryTable } from "./entry_table.ts";
import { Windows } from "./window.ts";

/** A tar whose entries are those of another one, in another order. */
export class SortedSource implements Source {
  readonly size: number;
  readonly isSteady: boolean | undefined;
  readonly #base: Source;
  readonly #table: EntryTable;
  readonly #order: readonly number[];
  readonly #firsts: Uint32Array;
  /** Where each entry starts. */
  readonly #starts: Float64Array;

  /**
   * @param order Rows of the table, in order.
   * @param firsts For each row the row of its file's first name.
   */
  constructor(
    base: Source,
    table: EntryTable,
    order: readonly number[],
    firsts: Uint32Array,
  ) {
    this.#base = base;
    this.isSteady = base.isSteady;
    this.#table = table;
    this.#order = order;
    this.#firsts = firsts;
    this.#starts = new Float64Array(order.length);
    let at = 0;
    for (const [i, row] of order.entries()) {
      this.#starts[i] = at;
      at += this.#header(row).length + table.stored(row, firsts[row]!);
    }
    this.size = at + closing().length;
  }

  stream(): ReadableStream<Uint8Array> {
    return toStream(this.#chunks(0, this.size));
  }

  slice(start: number, end: number): Pick<Source, "stream"> {
    const to = Math.min(end, this.size);
    return { stream: () => toStream(this.#chunks(Math.min(start, to), to)) };
  }

  /** A stretch of the tar, in large chunks. */
  async *#chunks(start: number, end: number): AsyncGenerator<Uint8Array> {
    let left = end - start;
    let chunk = allocate(Math.min(CHUNK, left));
    let filled = 0;
    for await (let piece of this.#pieces(start)) {
      piece = piece.subarray(0, left);
      left -= piece.length;
      while (piece.length > 0) {
        const part = piece.subarray(0, chunk.length - filled);
        chunk.set(part, filled);
        filled += part.length;
        piece = piece.subarray(part.length);
        if (filled < chunk.length) continue;
        yield chunk;
        chunk = allocate(Math.min(CHUNK, left + piece.length));
        filled = 0;
      }
      if (left === 0) return;
    }
    throw inputChanged();
  }

  /** The tar from an offset on, in pieces that must not be changed. */
  async *#pieces(start: number): AsyncGenerator<Uint8Array> {
    const windows = new Windows(this.#base);
    const table = this.#table;
    for (let i = this.#indexOf(start); i < this.#order.length; i++) {
      const row = this.#order[i]!;
      let skip = Math.max(start - this.#starts[i]!, 0);
      const header = this.#header(row);
      if (skip < header.length) yield header.subarray(skip);
      skip = Math.max(skip - header.length, 0);
      const stored = table.stored(row, this.#firsts[row]!);
      if (skip >= stored) continue;
      const file = table.file(row);
      if (table.isSparse(file)) {
        yield* skipping(this.#expanded(file), skip);
        continue;
      }
      const { data } = table.place(file);
      const size = table.size(file);
      if (skip < size) yield* windows.read(data + skip, data + size);
      // The padding of a writer may hold anything.
      yield new Uint8Array(stored - Math.max(size, skip));
    }
    const rest = this.size - closing().length;
    yield closing().subarray(Math.max(start - rest, 0));
  }

  /** The contents of a sparse file, with its holes and padding. */
  async *#expanded(row: number): AsyncGenerator<Uint8Array> {
    const { start, data } = this.#table.place(row);
    const index = new PathIndex();
    const slot = index.add(this.#table.path(row), {
      node: NODE.file,
      offset: start / BLOCK,
      link: 0,
    });
    const { entry } = await new StoredEntries(this.#base, index).read(slot);
    if (!entry.sparse) throw inputChanged();
    const expander = new SparseExpander(entry.sparse);
    const windows = new Windows(this.#base);
    for await (const piece of windows.read(data, data + entry.stored)) {
      yield* expander.push(piece.slice());
    }
    yield* expander.end();
  }

  #header(row: number): Uint8Array {
    return fileHeader(this.#table.record(row, this.#firsts[row]!));
  }

  /** The entry that holds a byte. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#order.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Pieces without their first bytes. */
async function* skipping(
  pieces: AsyncGenerator<Uint8Array>,
  count: number,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    if (count < piece.length) yield piece.subarray(count);
    count = Math.max(count - piece.length, 0);
  }
}
