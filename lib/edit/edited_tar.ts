import { counted } from "../errors/counted.ts";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { FileStretches } from "../streams/file_stretches.ts";
import type { FilePlace, Making } from "../streams/source.ts";
import type { Entry } from "../tar/entry.ts";
import { closing } from "../tar/header.ts";
import { Pieces } from "../tar/pieces.ts";
import type { SeekableTar } from "../tar/seeking.ts";
import { addedEntries } from "./added.ts";
import {
  editedEntries,
  type EditedEntriesOptions,
  editedPieces,
  type End,
  endOf,
} from "./edited_entries.ts";
import type { Edits } from "./edits.ts";
import { Places } from "./places.ts";
import { MAX_ZEROS } from "./zeros.ts";

/** How the entries of a tar are edited. */
type PartOptions = Omit<EditedEntriesOptions, "onKept" | "onEnd">;

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
  part: PartOptions = {},
): AsyncGenerator<Uint8Array> {
  const ending = new Ending(edits, part);
  yield* editedEntries(base, edits, { ...part, ...ending.options });
  yield* ending.chunks();
}

/**
 * How a tar that is a file becomes the one that {@linkcode editedTar} makes.
 *
 * @param base The tar.
 * @param place Where it is.
 */
export function editedFile(
  base: SeekableTar,
  place: FilePlace,
  edits: Edits,
  part: PartOptions,
): Making {
  const known = part.ahead?.knownOf(base);
  return {
    patchwork: new FileStretches(place, known?.kept.stretches),
    async *pieces(chunks) {
      const ending = new Ending(edits, part);
      const options = { ...part, ...ending.options };
      if (known) {
        yield* known.kept.pieces(chunks);
        options.onEnd(endOf(known));
      } else {
        const read = () => chunks;
        for await (const made of editedPieces(base, read, edits, options)) {
          yield made instanceof Pieces ? made.cut() : [made];
        }
      }
      for await (const chunk of ending.chunks()) yield [chunk];
    },
  };
}

/** What comes after the last entry. */
class Ending {
  readonly #edits: Edits;
  readonly #part: PartOptions;
  readonly #places: Places | undefined;
  /** Whether a look ahead has shown what the entries put where. */
  readonly #isAhead: boolean;
  #end: End | undefined;

  constructor(edits: Edits, part: PartOptions) {
    this.#edits = edits;
    this.#part = part;
    const { ahead } = part;
    this.#isAhead = ahead?.places !== undefined;
    this.#places = ahead?.places ??
      (edits.add?.length ? new Places(edits.add) : undefined);
  }

  /** What it has to know of the entries. */
  get options() {
    const places = this.#isAhead ? undefined : this.#places;
    return {
      ...(places && {
        onKept: (path: Uint8Array, entry: Entry) => places.add(path, entry),
      }),
      onEnd: (end: End) => this.#end = end,
    };
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const end = this.#end!;
    const places = this.#places;
    if (!this.#part.isLayer && !places) checkSomeLeft(end, this.#edits);
    if (!places) {
      const zeros = Math.min(end.zeros, MAX_ZEROS);
      if (zeros > 0) yield new Uint8Array(zeros);
      return;
    }
    yield* addedEntries(this.#edits, places.look);
    yield closing();
  }
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
