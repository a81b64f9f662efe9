import { padded } from "../tar/block.ts";
import { SparseExpander, type SparseMap } from "../tar/sparse.ts";
import type { DroppedFile } from "./dropped_files.ts";

/** What a hard link becomes whose file is left out. */
export interface Inherited {
  /** Its header blocks. */
  header: Uint8Array;
  /** The file that it becomes; none if another link is the file already. */
  file?: DroppedFile;
  /** Set if that file's holes are filled. */
  sparse?: SparseMap | undefined;
}

/** Bytes of its data and padding, as they are written. */
export function inheritedSize({ file, sparse }: Inherited): number {
  if (!file) return 0;
  return padded(sparse ? file.entry.size : file.entry.stored);
}

/** Its entry as it is written. */
export async function* inheritedEntry(
  { header, file, sparse }: Inherited,
): AsyncGenerator<Uint8Array> {
  yield header;
  if (!file) return;
  if (!sparse) return yield* file.data();
  const expander = new SparseExpander(sparse);
  let left = file.entry.stored;
  for await (const chunk of file.data()) {
    const data = chunk.subarray(0, left);
    left -= data.length;
    yield* expanded(expander, data, false);
  }
  yield* expander.end();
}

/** A stretch of a sparse file's data with its holes filled. */
export function* expanded(
  expander: SparseExpander,
  data: Uint8Array,
  done: boolean,
): Generator<Uint8Array> {
  for (const piece of expander.push(data)) yield piece.slice();
  if (done) yield* expander.end();
}
