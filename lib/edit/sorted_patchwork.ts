import type { Patchwork } from "../streams/patchwork.ts";
import { PiecesOfFile } from "../streams/pieces_of_file.ts";
import { CHUNK, type FilePlace } from "../streams/source.ts";
import { BLOCK } from "../tar/block.ts";
import type { SortedLayout } from "./sorted_layout.ts";

/** Pieces of a chunk at most: each file of a chunk but the first has a header. */
const PIECES = CHUNK / (2 * BLOCK) + 1;

/**
 * A sorted tar, put together of new headers and of pieces of the file that the
 * unsorted one is.
 */
export class SortedPatchwork implements Patchwork {
  readonly size: number;
  readonly listSize = PiecesOfFile.listSize(PIECES);
  readonly code: string;
  readonly #place: FilePlace;
  readonly #layout: SortedLayout;
  /** Where the newest chunk ends, and the entry that is there. */
  #next = { offset: 0, entry: 0 };

  /** @param layout That of a tar without sparse files, which would be expanded. */
  constructor(place: FilePlace, layout: SortedLayout) {
    this.#place = place;
    this.#layout = layout;
    this.size = layout.size;
    this.code = place.code;
  }

  layOut(chunk: Uint8Array, start: number, list: Uint8Array): void {
    const pieces = new PiecesOfFile(list);
    pieces.clear();
    const layout = this.#layout;
    const end = start + chunk.length;
    const { offset, entry } = this.#next;
    let i = start === offset ? entry : layout.indexOf(start);
    for (; i < layout.length && layout.start(i) < end; i++) {
      const next = layout.start(i + 1);
      const data = next - layout.stored(i);
      if (data > start) this.#putHeader(i, chunk, start);
      if (next > data) {
        const file = layout.file(i);
        const from = Math.max(data, start);
        const to = data + layout.table.size(file);
        const length = Math.min(to, end) - from;
        const inFile = this.#place.start + layout.table.place(file).data;
        if (length > 0) pieces.add(inFile + from - data, from - start, length);
        // The padding of a writer may hold anything.
        chunk.fill(0, Math.max(to - start, 0), next - start);
      }
      if (next > end) break;
    }
    this.#next = { offset: end, entry: i };
    const closing = layout.start(layout.length);
    if (closing < end) chunk.fill(0, Math.max(closing - start, 0));
  }

  read(chunk: Uint8Array, list: Uint8Array): void {
    new PiecesOfFile(list).readInto(chunk, this.#place);
  }

  check(): void {
    this.#place.check();
  }

  /** Puts what a chunk has of an entry's header there. */
  #putHeader(i: number, chunk: Uint8Array, start: number): void {
    const layout = this.#layout;
    const at = layout.start(i) - start;
    const isWhole = at >= 0 && at + BLOCK <= chunk.length;
    if (isWhole && layout.putHeader(i, chunk, at)) return;
    const skip = Math.max(-at, 0);
    const room = chunk.subarray(at + skip);
    room.set(layout.header(i).subarray(skip, skip + room.length));
  }
}
