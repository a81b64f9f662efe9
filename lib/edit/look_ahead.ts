import { InputError } from "../errors/input_error.ts";
import { BLOCK } from "../tar/block.ts";
import { closing } from "../tar/header.ts";
import { headerReader, type SeekableTar } from "../tar/seeking.ts";
import { addedSize } from "./added_headers.ts";
import type { ReadEntry } from "../tar/entry_facts.ts";
import type { TarGap, TarReader } from "../tar/reader.ts";
import { type EditedPieces, Editor } from "./editor.ts";
import type { EditedTar, Edits, Tally } from "./edits.ts";
import { inheritedSize } from "./inherited.ts";
import { type LinkedNames, LinkFinder, needsNames } from "./linked_names.ts";
import { Places } from "./places.ts";
import { isZeros, MAX_ZEROS } from "./zeros.ts";

/** What the headers of a tar show. */
interface Found {
  names?: LinkedNames | undefined;
  size?: number | undefined;
  staying?: Marks | undefined;
}

/** Marks of entries, by their number in the tar. */
class Marks {
  #marks = new Uint8Array(1 << 12);

  has(number: number): boolean {
    return this.#marks[number] === 1;
  }

  set(number: number): void {
    if (number >= this.#marks.length) {
      const more = new Uint8Array(Math.max(number + 1, 2 * this.#marks.length));
      more.set(this.#marks);
      this.#marks = more;
    }
    this.#marks[number] = 1;
  }
}

/** Looks at the headers of a tar before it is edited. */
export class LookAhead {
  readonly #base: SeekableTar;
  readonly #edits: Edits;
  readonly #part: EditedTar;
  #names: LinkedNames | undefined;
  #staying: Marks | undefined;

  constructor(base: SeekableTar, edits: Edits, part: EditedTar) {
    this.#base = base;
    this.#edits = edits;
    this.#part = part;
  }

  /**
   * The hard links that there are, where that matters.
   *
   * @throws {InputError} If it is no tar.
   */
  async names(): Promise<LinkedNames | undefined> {
    if (!needsNames(this.#edits)) return undefined;
    return this.#names ?? (await this.#look()).names;
  }

  /** Whether an entry is known to keep its path, by its number in the tar. */
  stays(number: number): boolean {
    return this.#staying?.has(number) === true;
  }

  /**
   * The size that the edited tar most likely has, in bytes: it is another one
   * where headers must be written anew. Where files go or come, the headers of
   * all others are read.
   *
   * @returns `undefined` if that takes more than reading headers.
   */
  async size(): Promise<number | undefined> {
    const { size, fill } = this.#base;
    const { exclude, strip, remove, add } = this.#edits;
    if (!exclude && !strip && !remove?.length && !add?.length) return size;
    if (size === undefined || !fill) return undefined;
    if (add?.some(({ isTree }) => isTree)) return undefined;
    try {
      const found = await this.#look(true);
      this.#names = found.names;
      this.#staying = found.staying;
      return found.size;
    } catch (error) {
      // Whoever edits the tar says so.
      if (error instanceof InputError) return undefined;
      throw error;
    }
  }

  async #look(hasSize = false): Promise<Found> {
    const finder = needsNames(this.#edits)
      ? new LinkFinder(this.#edits, this.#part)
      : undefined;
    const sizes = hasSize
      ? new Sizes(this.#base, this.#edits, this.#part)
      : undefined;
    const tar = headerReader(this.#base);
    for await (const bytes of tar.buffers()) {
      for (let item; (item = tar.next());) {
        if (item.part === "gap") sizes?.gap(item, tar);
        if (item.part !== "header") continue;
        finder?.take(item.entry);
        const read = { bytes, entry: item.entry, globals: tar.globals };
        const waiting = sizes?.take(read, tar.offset + item.start);
        if (waiting) await waiting;
      }
    }
    return {
      names: finder?.names,
      size: sizes?.end(),
      staying: sizes?.staying,
    };
  }
}

/** Adds up what becomes of a tar. */
class Sizes implements EditedPieces {
  readonly #edits: Edits;
  readonly #editor: Editor;
  readonly #places: Places | undefined;
  /** The entries that keep their paths. */
  readonly staying = new Marks();
  #entries = 0;
  #size = 0;
  #zeros = 0;

  constructor(base: SeekableTar, edits: Edits, part: EditedTar) {
    this.#edits = withoutTallies(edits);
    const places = edits.add?.length ? new Places() : undefined;
    this.#places = places;
    this.#editor = new Editor(base, this.#edits, part, {
      isDry: true,
      ...(places && { onKept: (path, entry) => places.add(path, entry) }),
    });
  }

  keep(start: number, end: number): void {
    this.#size += end - start;
  }

  add({ length }: Uint8Array): void {
    this.#size += length;
  }

  /** Takes what belongs to no entry. */
  gap(item: TarGap, tar: TarReader): void {
    if (isZeros(item, tar)) this.#zeros += item.end - item.start;
  }

  /** Takes an entry with its data. */
  take(read: ReadEntry, place: number): Promise<void> | undefined {
    this.#size += Math.min(this.#zeros, 2 * BLOCK);
    this.#zeros = 0;
    const number = this.#entries++;
    const waiting = this.#editor.header(read, place, this);
    if (this.#editor.isPlain) this.staying.set(number);
    this.#size += this.#editor.dataSize(read.entry);
    return waiting?.then((inherited) => {
      this.#size += inherited.header.length + inheritedSize(inherited);
    });
  }

  /** The size of all in bytes. */
  end(): number {
    const end = this.#places
      ? addedSize(this.#edits, this.#places.look) + closing().length
      : Math.min(this.#zeros, MAX_ZEROS);
    return this.#size + end;
  }
}

/** The same edits of sizes, which count nothing. */
function withoutTallies(
  { exclude, strip, remove, add, owner, time }: Edits,
): Edits {
  const tallied = <T extends { tally: Tally }>(edit: T): T => ({
    ...edit,
    tally: { ...edit.tally },
  });
  return {
    exclude: exclude && tallied(exclude),
    strip: strip && tallied(strip),
    remove: remove?.map(tallied),
    add: add?.map(tallied),
    owner: owner && tallied(owner),
    time: time && tallied(time),
  };
}
