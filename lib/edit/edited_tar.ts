import { counted } from "../errors/counted.ts";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import type { SeekableTar } from "../tar/seeking.ts";
import { closing } from "../tar/header.ts";
import { addedEntries } from "./added.ts";
import {
  editedEntries,
  type EditedEntriesOptions,
  type End,
} from "./edited_entries.ts";
import type { Edits } from "./edits.ts";
import { Places } from "./places.ts";
import { MAX_ZEROS } from "./zeros.ts";

/**
 * Streams a tar, edited in one pass; it is not sorted. A tar that edits change
 * nothing of comes out as it is, but for PAX global headers.
 *
 * @param base The tar. Data of left out files may be read again.
 * @throws {InputError} If it is no tar, nothing is left of it, a hard link loses
 * its file, or an added file has no place.
 */
export async function* editedTar(
  base: SeekableTar,
  edits: Edits,
  part: Omit<EditedEntriesOptions, "onKept" | "onEnd"> = {},
): AsyncGenerator<Uint8Array> {
  const places = edits.add?.length ? new Places(edits.add) : undefined;
  let end: End | undefined;
  yield* editedEntries(base, edits, {
    ...part,
    ...(places && { onKept: (path, entry) => places.add(path, entry) }),
    onEnd: (found) => end = found,
  });
  if (!part.isLayer && !places) checkSomeLeft(end!, edits);
  if (!places) {
    if (end!.zeros > 0) yield new Uint8Array(Math.min(end!.zeros, MAX_ZEROS));
    return;
  }
  yield* addedEntries(edits, (end!.places ?? places).look);
  yield closing();
}

/** @throws {InputError} If edits leave nothing in; it names them. */
export function checkSomeLeft(
  { kept, leftOut }: Pick<End, "kept" | "leftOut">,
  { exclude, strip, remove = [] }: Edits = {},
): void {
  if (leftOut === 0 || kept > 0) return;
  const done = [exclude, strip, ...remove]
    .filter((edit) => edit !== undefined)
    .filter(({ tally }) => tally.entries > 0)
    .map(({ tally: { edit, value } }) =>
      `--${edit}${value === undefined ? "" : ` ${shown(value)}`}`
    );
  throw new InputError(
    `Nothing is left of its ${counted(leftOut, "entry", "entries")}${
      done.length > 0 ? ` after ${done.slice(0, 10).join(", ")}` : ""
    }: leave out fewer of them`,
  );
}
