import { fileHeader } from "../directory/file_header.ts";
import { inputChanged } from "../errors/input_changed.ts";
import { NODE, PathIndex } from "../rootfs/path_index.ts";
import { StoredEntries } from "../rootfs/stored_entries.ts";
import { fromStream, type Source, toStream } from "../streams/source.ts";
import { BLOCK } from "../tar/block.ts";
import { closing } from "../tar/header.ts";
import { SparseExpander } from "../tar/sparse.ts";
import type { EntryTable } from "./entry_table.ts";
import { checkSame, Filler, fillFrom } from "./filler.ts";

const ZEROS = new Uint8Array(BLOCK);

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
      const first = firsts[row]!;
      at += table.headerSize(row, first) + table.stored(row, first);
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
    const filler = new Filler(end - start);
    const table = this.#table;
    const first = this.#indexOf(start);
    for (let i = first; i < this.#order.length && filler.left > 0; i++) {
      const row = this.#order[i]!;
      const header = this.#header(row);
      let skip = Math.max(start - this.#starts[i]!, 0);
      filler.add(header.subarray(skip));
      if (filler.isFull) yield* filler.take();
      skip = Math.max(skip - header.length, 0);
      const stored = table.stored(row, this.#firsts[row]!);
      if (skip >= stored) continue;
      const file = table.file(row);
      if (table.isSparse(file)) {
        yield* this.#expanded(file, skip, filler);
        continue;
      }
      const { data } = table.place(file);
      const size = table.size(file);
      let at = Math.min(skip, size);
      while (at < size && filler.left > 0) {
        const room = filler.room(size - at);
        const waiting = fillFrom(this.#base, room, data + at);
        if (waiting) await waiting;
        at += room.length;
        if (filler.isFull) yield* filler.take();
      }
      // The padding of a writer may hold anything.
      filler.add(ZEROS.subarray(0, stored - Math.max(size, skip)));
      if (filler.isFull) yield* filler.take();
    }
    const rest = this.size - closing().length;
    filler.add(closing().subarray(Math.max(start - rest, 0)));
    yield* filler.take();
    if (filler.left > 0) throw inputChanged();
    await checkSame(this.#base);
  }

  /** The contents of a sparse file, with its holes and padding. */
  async *#expanded(
    row: number,
    skip: number,
    filler: Filler,
  ): AsyncGenerator<Uint8Array> {
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
    const put = function* (pieces: Iterable<Uint8Array>) {
      for (const piece of pieces) {
        filler.add(piece.subarray(skip));
        skip = Math.max(skip - piece.length, 0);
        if (filler.isFull) yield* filler.take();
      }
    };
    const stretch = this.#base.slice(data, data + entry.stored);
    for await (const piece of fromStream(stretch.stream())) {
      yield* put(expander.push(piece));
    }
    yield* put(expander.end());
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
