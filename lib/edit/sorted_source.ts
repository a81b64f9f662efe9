import { inputChanged } from "../errors/input_changed.ts";
import { NODE, PathIndex } from "../rootfs/path_index.ts";
import { StoredEntries } from "../rootfs/stored_entries.ts";
import type { Patchwork } from "../streams/patchwork.ts";
import { fromStream, type Source, toStream } from "../streams/source.ts";
import { BLOCK } from "../tar/block.ts";
import { closing } from "../tar/header.ts";
import { SparseExpander } from "../tar/sparse.ts";
import { checkSame, Filler, fillFrom } from "./filler.ts";
import type { SortedLayout } from "./sorted_layout.ts";
import { SortedPatchwork } from "./sorted_patchwork.ts";

const ZEROS = new Uint8Array(BLOCK);

/** A tar whose entries are those of another one, in another order. */
export class SortedSource implements Source {
  readonly size: number;
  readonly isSteady: boolean | undefined;
  readonly patchwork: Patchwork | undefined;
  readonly #base: Source;
  readonly #layout: SortedLayout;

  constructor(base: Source, layout: SortedLayout) {
    this.#base = base;
    this.isSteady = base.isSteady;
    this.#layout = layout;
    this.size = layout.size;
    const { place } = base;
    if (place && !layout.table.hasSparse) {
      this.patchwork = new SortedPatchwork(place, layout);
    }
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
    const layout = this.#layout;
    const { table } = layout;
    const first = layout.indexOf(start);
    for (let i = first; i < layout.length && filler.left > 0; i++) {
      const header = layout.header(i);
      let skip = Math.max(start - layout.start(i), 0);
      filler.add(header.subarray(skip));
      if (filler.isFull) yield* filler.take();
      skip = Math.max(skip - header.length, 0);
      const stored = layout.stored(i);
      if (skip >= stored) continue;
      const file = layout.file(i);
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
    const rest = layout.start(layout.length);
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
    const { table } = this.#layout;
    const { start, data } = table.place(row);
    const index = new PathIndex();
    const slot = index.add(table.path(row), {
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
}
