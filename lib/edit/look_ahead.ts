import { InputError } from "../errors/input_error.ts";
import { BLOCK, padded } from "../tar/block.ts";
import { closing } from "../tar/header.ts";
import { headerReader, type SeekableTar } from "../tar/seeking.ts";
import { addedSize } from "./added_headers.ts";
import type { ReadEntry } from "../tar/entry_facts.ts";
import type { TarGap } from "../tar/items.ts";
import type { TarReader } from "../tar/reader.ts";
import { Editor } from "./editor.ts";
import type { EditedPieces, EditedTar, Edits, Tally } from "./edits.ts";
import { inheritedSize } from "./inherited.ts";
import { KeptStretches } from "./kept_stretches.ts";
import { type LinkedNames, LinkFinder, needsNames } from "./linked_names.ts";
import { Places } from "./places.ts";
import { stripped } from "./strip.ts";
import { isZeros, MAX_ZEROS } from "./zeros.ts";

/** What the headers of a tar show. */
interface Found {
  names?: LinkedNames | undefined;
  size?: number | undefined;
  staying?: Marks | undefined;
  known?: Known | undefined;
  places?: Places | undefined;
}

/** What becomes of a tar, so that its headers need not be read again. */
export interface Known {
  kept: KeptStretches;
  /** How many entries stay, and how many are left out. */
  counts: { kept: number; leftOut: number };
  /** Bytes of zeros after the last entry. */
  zeros: number;
  /** Counts what edits have done. */
  tally(): void;
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
  #known: Known | undefined;
  #places: Places | undefined;

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

  /**
   * What becomes of the tar, if its headers have shown that.
   *
   * @param base Where it is read: a source that checks its bytes, and is not the
   * one whose headers were looked at, has to be read as a whole.
   */
  knownOf(base: SeekableTar): Known | undefined {
    return base === this.#base ? this.#known : undefined;
  }

  /** What the entries put where, if files are added and the headers have shown it. */
  get places(): Places | undefined {
    return this.#places;
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
    const isStripped = strip?.count === 1 && !this.#part.below;
    try {
      if (isStripped && !exclude && !remove?.length && !add?.length) {
        return size - await this.#topSize();
      }
      const found = await this.#look(true);
      this.#names = found.names;
      this.#staying = found.staying;
      this.#known = found.known;
      this.#places = found.places;
      return found.size;
    } catch (error) {
      // Whoever edits the tar says so.
      if (error instanceof InputError) return undefined;
      throw error;
    }
  }

  /**
   * Bytes of the entries at the beginning that lose their only component. There
   * are hardly others in a tar that has one directory at its top.
   */
  async #topSize(): Promise<number> {
    const tar = headerReader(this.#base);
    let size = 0;
    for await (const _ of tar.buffers()) {
      for (let item; (item = tar.next());) {
        if (item.part !== "header") continue;
        const { start, end, path, stored } = item.entry;
        if (stripped(path, 1)) return size;
        size += end - start + padded(stored);
      }
    }
    return size;
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
      known: sizes?.known(),
      places: sizes?.places,
    };
  }
}

/** Adds up what becomes of a tar. */
class Sizes implements EditedPieces {
  readonly #given: Edits;
  readonly #edits: Edits;
  readonly #editor: Editor;
  /** What the entries have put where, if files are added. */
  readonly places: Places | undefined;
  readonly #kept = new KeptStretches();
  readonly #end: number;
  /** Where the buffer starts in the tar. */
  #offset = 0;
  /** The entries that keep their paths. */
  readonly staying = new Marks();
  #entries = 0;
  #size = 0;
  #zeros = 0;

  constructor(base: SeekableTar, edits: Edits, part: EditedTar) {
    this.#given = edits;
    this.#edits = withoutTallies(edits);
    this.#end = base.size!;
    // Numbers in headers are not changed here.
    const { chmod, owner, time } = edits;
    if (chmod?.length || owner || time) this.#kept.drop();
    const places = edits.add?.length ? new Places(edits.add) : undefined;
    this.places = places;
    this.#editor = new Editor(base, this.#edits, part, {
      isDry: true,
      ...(places && { onKept: (path, entry) => places.add(path, entry) }),
    });
  }

  keep(start: number, end: number): void {
    this.#size += end - start;
    this.#kept.keep(this.#offset + start, this.#offset + end);
  }

  add(bytes: Uint8Array): void {
    this.#size += bytes.length;
    this.#kept.add(bytes);
  }

  /** Takes what belongs to no entry. */
  gap(item: TarGap, tar: TarReader): void {
    if (isZeros(item, tar)) this.#zeros += item.end - item.start;
  }

  /** Takes an entry with its data. */
  take(read: ReadEntry, place: number): Promise<void> | undefined {
    if (this.#zeros > 0) {
      this.add(new Uint8Array(Math.min(this.#zeros, 2 * BLOCK)));
    }
    this.#zeros = 0;
    const { entry } = read;
    this.#offset = place - entry.start;
    const number = this.#entries++;
    const waiting = this.#editor.header(read, place, this);
    if (this.#editor.isPlain) this.staying.set(number);
    const size = this.#editor.dataSize(entry);
    if (!waiting && (size === 0 || size === padded(entry.stored))) {
      this.keep(entry.end, entry.end + size);
    } else {
      this.#size += size;
      this.#kept.drop();
    }
    // Some writers leave the last padding out.
    if (this.#offset + entry.end + padded(entry.stored) > this.#end) {
      this.#kept.drop();
    }
    return waiting?.then((inherited) => {
      this.#size += inherited.header.length + inheritedSize(inherited);
    });
  }

  /** What becomes of the tar, if that is known to the byte. */
  known(): Known | undefined {
    const kept = this.#kept;
    if (!kept.isWhole) return undefined;
    this.#editor.end();
    return {
      kept,
      counts: this.#editor,
      zeros: this.#zeros,
      tally: () => addTallies(this.#edits, this.#given),
    };
  }

  /** The size of all in bytes. */
  end(): number {
    const end = this.places
      ? addedSize(this.#edits, this.places.look) + closing().length
      : Math.min(this.#zeros, MAX_ZEROS);
    return this.#size + end;
  }
}

/** Adds what edits have counted to the same edits. */
function addTallies(from: Edits, to: Edits): void {
  const add = (tally: Tally | undefined, more: Tally | undefined) => {
    if (tally && more) tally.entries += more.entries;
  };
  add(to.exclude?.tally, from.exclude?.tally);
  add(to.strip?.tally, from.strip?.tally);
  to.remove?.forEach(({ tally }, i) => add(tally, from.remove?.[i]?.tally));
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
