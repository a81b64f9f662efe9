import { fromStream } from "../streams/source.ts";
import type { Entry } from "../tar/entry.ts";
import { Pieces } from "../tar/pieces.ts";
import type { SeekableTar } from "../tar/seeking.ts";
import { TarReader } from "../tar/reader.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";
import type { EditedTar, Edits } from "./edits.ts";
import { inheritedEntry } from "./inherited.ts";
import { needsNames } from "./linked_names.ts";
import { type Known, LookAhead } from "./look_ahead.ts";
import { Editor } from "./editor.ts";
import { isZeros } from "./zeros.ts";

/** How entries are edited, and who wants to know of them. */
export interface EditedEntriesOptions extends EditedTar {
  /** Looks at the headers first, if somebody has done so already. */
  ahead?: LookAhead | undefined;
  /** Gets each path that stays. */
  onKept?: (path: Uint8Array, entry: Entry) => void;
  /** Gets what is known after the last entry. */
  onEnd?: (end: End) => void;
}

/** What is known after the last entry. */
export interface End {
  /** How many entries stay, and how many are left out. */
  kept: number;
  leftOut: number;
  /** Bytes of zeros after the last entry. */
  zeros: number;
}

/** Whether edits read the tar, or some of it, more than once. */
function readsAgain(edits: Edits): boolean {
  const { exclude, strip, remove } = edits;
  return Boolean(exclude || strip || remove?.length) || needsNames(edits);
}

/**
 * Streams a tar's entries, edited; files are not added here, and nothing is
 * sorted. PAX global headers go into the entries' own. What comes after the end
 * is left out, its zeros included.
 *
 * @param base The tar.
 * @returns Chunks of whole blocks.
 * @throws {InputError} If it is no tar, or a hard link loses its file.
 */
export async function* editedEntries(
  base: SeekableTar,
  edits: Edits,
  options: EditedEntriesOptions,
): AsyncGenerator<Uint8Array> {
  const found = options.ahead?.knownOf(base);
  if (found) {
    yield* found.kept.chunks(base);
    options.onEnd?.(endOf(found));
    return;
  }
  const read = () =>
    !readsAgain(edits) && base.once?.() || fromStream(base.stream());
  for await (const made of editedPieces(base, read, edits, options)) {
    const bytes = made instanceof Pieces ? made.take() : made;
    if (bytes.length > 0) yield bytes;
  }
}

/** What is known after the last entry of a tar whose entries are known. */
export function endOf(known: Known): End {
  known.tally();
  const { counts: { kept, leftOut }, zeros } = known;
  return { kept, leftOut, zeros };
}

/**
 * As {@linkcode editedEntries}, in pieces.
 *
 * @param read Gives the bytes of the tar, after a look at its headers.
 * @returns What becomes of each buffer, and what is not in one.
 */
export async function* editedPieces(
  base: SeekableTar,
  read: () => AsyncGenerator<Uint8Array>,
  edits: Edits,
  { onKept, onEnd, ahead, ...part }: EditedEntriesOptions,
): AsyncGenerator<Pieces | Uint8Array> {
  const looked = ahead ?? new LookAhead(base, edits, part);
  const editor = new Editor(base, edits, part, {
    names: await looked.names(),
    onKept,
    stays: (number) => looked.stays(number),
  });
  const tar = new TarReader(wholeBlocks(read()));
  let zeros = 0;
  for await (const buffer of tar.buffers()) {
    const pieces = new Pieces(buffer, () => tar.take());
    for (let item; (item = tar.next());) {
      let more: AsyncGenerator<Uint8Array> | Generator<Uint8Array> | undefined;
      if (item.part === "header") {
        // Another archive comes after the end of the first one.
        if (zeros > 0) pieces.add(new Uint8Array(Math.min(zeros, 1024)));
        zeros = 0;
        const { entry } = item;
        const whole = { bytes: buffer, entry, globals: tar.globals };
        const link = editor.header(whole, tar.offset + item.start, pieces);
        if (link) more = inheritedEntry(await link);
      } else if (item.part === "data") {
        more = editor.data(item, buffer, pieces);
      } else if (isZeros(item, tar)) zeros += item.end - item.start;
      if (!more) continue;
      yield pieces;
      yield* more;
    }
    yield pieces;
  }
  editor.end();
  const { kept, leftOut } = editor;
  onEnd?.({ kept, leftOut, zeros });
}
