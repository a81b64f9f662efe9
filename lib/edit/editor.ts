import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { Holes } from "../rootfs/holes.ts";
import {
  isAufsLeftover,
  type Whiteout,
  whiteoutOf,
} from "../rootfs/whiteouts.ts";
import type { Source } from "../streams/source.ts";
import type { Entry } from "../tar/entry.ts";
import type { ReadEntry } from "../tar/entry_facts.ts";
import type { TarData } from "../tar/reader.ts";
import { padded } from "../tar/block.ts";
import { SparseExpander } from "../tar/sparse.ts";
import { AttributeEdits } from "./attributes.ts";
import { DroppedFiles } from "./dropped_files.ts";
import { editHeader, type HeaderEdit } from "./edited_header.ts";
import { expanded, type Inherited } from "./inherited.ts";
import type { EditedTar, Edits } from "./edits.ts";
import type { LinkedNames } from "./linked_names.ts";
import { type Fate, Fates } from "./fates.ts";

const EMPTY = new Uint8Array(0);
const NO_NAMES: readonly string[] = [];
/** Where paths do not matter. */
const NO_FATE: Fate = { given: EMPTY, written: EMPTY, path: EMPTY };

/** Gets what becomes of entries, such as {@linkcode Pieces}. */
export interface EditedPieces {
  /** Takes a stretch of the buffer. */
  keep(start: number, end: number): void;
  /** Takes new bytes. */
  add(bytes: Uint8Array): void;
}

/** How an {@linkcode Editor} works. */
export interface EditorOptions {
  /** The hard links that there are, where that matters. */
  names?: LinkedNames | undefined;
  /** Gets each path that stays. */
  onKept?: ((path: Uint8Array, entry: Entry) => void) | undefined;
  /** Whether only the sizes of what is written count. */
  isDry?: boolean | undefined;
  /**
   * Whether an entry is known to keep its path, by its number. Where somebody
   * gets the paths that does not count.
   */
  stays?: (number: number) => boolean;
}

/** Edits entries one by one, in the order of a tar. */
export class Editor {
  /** How many entries stay, and how many are left out. */
  kept = 0;
  leftOut = 0;
  readonly #edits: Edits;
  readonly #tar: EditedTar;
  readonly #fates: Fates;
  /** For the paths that hard links lead to: it sees them in another order. */
  readonly #linkFates: Fates;
  readonly #attributes: AttributeEdits;
  readonly #dropped: DroppedFiles;
  readonly #names: LinkedNames | undefined;
  readonly #holes: Holes;
  /** Header blocks of directories that stay if something below them does. */
  readonly #held = new Map<string, Uint8Array>();
  /** Such directories whose entries have not come yet. */
  readonly #needed = new Set<string>();
  /** Gets each path that stays. */
  readonly #onKept: ((path: Uint8Array, entry: Entry) => void) | undefined;
  readonly #isDry: boolean;
  readonly #stays: ((number: number) => boolean) | undefined;
  /** Whether only modes depend on paths. */
  readonly #isAsItIs: boolean;
  #entries = 0;
  /** Whether the newest entry keeps its path, and nothing depends on it. */
  isPlain = false;
  #leavesOut = false;
  #expander: SparseExpander | undefined;

  /**
   * Prepares to edit.
   *
   * @param base The tar; data of left out files may be read again.
   */
  constructor(
    base: Source,
    edits: Edits,
    tar: EditedTar,
    { names, onKept, isDry = false, stays }: EditorOptions,
  ) {
    this.#stays = onKept ? undefined : stays;
    this.#names = names;
    this.#isDry = isDry;
    this.#edits = edits;
    this.#tar = tar;
    this.#onKept = onKept;
    this.#fates = new Fates(edits, tar);
    this.#linkFates = new Fates(edits, tar);
    this.#attributes = new AttributeEdits(edits);
    this.#dropped = new DroppedFiles(base);
    this.#holes = new Holes(tar.maxUnpacked);
    this.#isAsItIs = this.#attributes.needsText && !this.#fates.isActive &&
      !onKept && !tar.isLayer && tar.below === undefined;
  }

  /**
   * Takes the next entry.
   *
   * @param place Offset of its header blocks in the base, in bytes.
   * @param pieces Gets what becomes of them.
   * @returns What has to be written after that, of a hard link that loses its
   * file.
   * @throws {InputError} If that is not there.
   */
  header(
    read: ReadEntry,
    place: number,
    pieces: EditedPieces,
  ): Promise<Inherited> | undefined {
    const { entry, globals } = read;
    this.#leavesOut = false;
    this.isPlain = false;
    if (this.#stays?.(this.#entries++)) {
      this.kept++;
      this.#put(read, this.#attributesOf(read, this.#file(entry)), pieces);
      return undefined;
    }
    if (this.#isAsItIs && this.#hasNoRule(entry)) {
      this.kept++;
      this.#put(read, this.#attributesOf(read, undefined), pieces);
      return undefined;
    }
    const whiteout = this.#whiteout(entry);
    const fate = this.#fate(entry, whiteout);
    if (!fate) {
      this.#put(read, {}, pieces);
      return undefined;
    }
    if (fate.by && !(fate.held && whiteout)) {
      if (!fate.held || entry.kind !== "directory") {
        fate.by.entries++;
        this.leftOut++;
        this.#leavesOut = true;
        this.#dropped.add(fate.given, place, globals);
        return undefined;
      }
      if (this.#hold(read, fate)) return undefined;
    }
    if (entry.kind === "directory" && this.#tar.look?.(fate.path)) {
      // The directory that is there keeps its metadata.
      this.#leavesOut = true;
      return undefined;
    }
    // A root alone is nothing.
    if (fate.path.length > 0 || !this.#fates.isActive) this.kept++;
    const released = this.#release(pieces);
    this.#onKept?.(fate.path, entry);
    const target = this.#target(entry);
    if (target?.by) return this.#inherit(read, fate, target);
    this.isPlain = !released && !whiteout && entry.kind !== "hardlink" &&
      fate.by === undefined && fate.path.length > 0 &&
      fate.written === entry.path;
    this.#put(read, this.#editOf(read, fate, target, whiteout), pieces);
    return undefined;
  }

  /** Takes a stretch of the entry's data; returns what is written instead. */
  data(
    { start, end, dataEnd, done }: TarData,
    buffer: Uint8Array,
    pieces: EditedPieces,
  ): Generator<Uint8Array> | undefined {
    if (this.#leavesOut) return undefined;
    const expander = this.#expander;
    if (expander) {
      if (done) this.#expander = undefined;
      return expanded(expander, buffer.slice(start, dataEnd), done);
    }
    pieces.keep(start, end);
    return undefined;
  }

  /** Bytes of the newest entry's data and padding, as they are written. */
  dataSize({ size, stored }: Entry): number {
    if (this.#leavesOut) return 0;
    const isWhole = this.#expander !== undefined;
    this.#expander = undefined;
    return padded(isWhole ? size : stored);
  }

  /** Settles what is only known after the last entry. */
  end(): void {
    if (this.#edits.exclude) {
      this.#edits.exclude.tally.entries += this.#held.size;
    }
  }

  /** Whether no rule for modes is for an entry, as the end of its path shows. */
  #hasNoRule({ kind, path }: Entry): boolean {
    return kind === "file" && this.#names?.isEmpty === true &&
      !this.#attributes.mayMatch(path);
  }

  /** What gets the mode of an entry that keeps its path, if a rule may be for it. */
  #file(entry: Entry): Fate | undefined {
    if (!this.#attributes.needsText) return NO_FATE;
    return this.#hasNoRule(entry) ? undefined : this.#fates.of(entry.path);
  }

  /** What an entry deletes, if it is a whiteout of a layer. */
  #whiteout({ path }: Entry): Whiteout | undefined {
    if (!this.#tar.isLayer) return undefined;
    try {
      const given = this.#fates.treePath(path);
      return given && whiteoutOf(given);
    } catch (error) {
      if (error instanceof InputError) return undefined;
      throw error;
    }
  }

  /** What becomes of an entry; `undefined` if the tree has no such entry. */
  #fate(entry: Entry, whiteout: Whiteout | undefined): Fate | undefined {
    if (entry.kind === "label") return undefined;
    if (
      !this.#fates.isActive && !this.#attributes.needsText && !this.#onKept
    ) return { given: EMPTY, written: entry.path, path: EMPTY };
    let fate;
    try {
      fate = this.#fates.of(entry.path, whiteout?.path);
    } catch (error) {
      // The scan refuses it, in better words.
      if (error instanceof InputError) return undefined;
      throw error;
    }
    if (!fate || this.#tar.isLayer && isAufsLeftover(fate.given)) {
      return undefined;
    }
    if (whiteout && fate.by && fate.by === this.#edits.strip?.tally) {
      throw new InputError(
        `Entry ${
          shown(entry.path)
        }: It deletes what --strip-components leaves ` +
          "out or makes the root; strip fewer components",
      );
    }
    return fate;
  }

  /**
   * Keeps a directory that is left out for something below it that may stay.
   *
   * @returns Whether nothing below it has come yet.
   */
  #hold(read: ReadEntry, fate: Fate): boolean {
    const key = this.#fates.text(fate.given);
    if (this.#needed.has(key)) return false;
    const edit = this.#editOf(read, fate, undefined, undefined);
    const made = editHeader(read, edit);
    const { start, end } = read.entry;
    this.#held.set(key, made ?? read.bytes.slice(start, end));
    this.#onKept?.(fate.path, read.entry);
    this.#leavesOut = true;
    return true;
  }

  /** Writes the directories that stay for the newest entry, if there are any. */
  #release(pieces: EditedPieces): boolean {
    const above = this.#fates.heldAbove();
    for (const key of above) {
      const header = this.#held.get(key);
      this.#needed.add(key);
      if (!header) continue;
      pieces.add(header);
      this.#held.delete(key);
      this.kept++;
    }
    return above.length > 0;
  }

  /** What becomes of the path that a hard link leads to. */
  #target({ kind, link }: Entry): Fate | undefined {
    if (kind !== "hardlink") return undefined;
    if (!this.#fates.isActive && !this.#attributes.needsText) return undefined;
    try {
      return this.#linkFates.of(link);
    } catch (error) {
      if (error instanceof InputError) return undefined;
      throw error;
    }
  }

  /** What an entry's header is to say. */
  #editOf(
    read: ReadEntry,
    fate: Fate,
    target: Fate | undefined,
    whiteout: Whiteout | undefined,
  ): HeaderEdit {
    const { entry } = read;
    const { written } = fate;
    const edit: HeaderEdit = this.#attributesOf(
      read,
      whiteout ? undefined : target ?? fate,
    );
    if (written !== entry.path) {
      edit.path = written;
      if (this.#edits.strip) this.#edits.strip.tally.entries++;
    }
    if (target && target.written !== entry.link) edit.link = target.written;
    return edit;
  }

  /** @param file Where the file is that gets a mode; a hard link's target. */
  #attributesOf(read: ReadEntry, file: Fate | undefined): HeaderEdit {
    if (!this.#attributes.isActive) return {};
    const { entry, globals } = read;
    // Numbers have room in the header, unless records say others.
    if (
      this.#isDry && !entry.odd && entry.records.length + globals.size === 0
    ) return {};
    if (!file) return this.#attributes.of(read, undefined);
    if (!this.#attributes.needsText) return this.#attributes.of(read, "any");
    return this.#attributes.of(read, {
      // A directory is here only if it stays for something below it.
      own: file.by && entry.kind !== "directory" ? undefined : file.path,
      others: this.#names?.of(file.given) ?? NO_NAMES,
    });
  }

  /** Writes an entry's header blocks. */
  #put(read: ReadEntry, edit: HeaderEdit, pieces: EditedPieces): void {
    const { entry, globals } = read;
    const isSame = globals.size === 0 && Object.keys(edit).length === 0;
    const made = isSame ? undefined : editHeader(read, edit);
    // The tar itself has another one than the buffer now.
    const isChanged = this.#isDry && !isSame;
    if (!made && isChanged) {
      return pieces.add(read.bytes.subarray(entry.start, entry.end));
    }
    if (!made) return pieces.keep(entry.start, entry.end);
    pieces.add(made);
    if (!entry.sparse) return;
    this.#holes.count(entry);
    this.#expander = new SparseExpander(entry.sparse);
  }

  /** Makes a file of a hard link whose file is left out. */
  async #inherit(
    read: ReadEntry,
    fate: Fate,
    target: Fate,
  ): Promise<Inherited> {
    const written = fate.written.slice();
    const found = await this.#dropped.find(
      target.given.slice(),
      written,
      (entry) => this.#linkFates.of(entry.link)!,
    );
    if (found instanceof Uint8Array) {
      const edit = this.#editOf(read, fate, target, undefined);
      edit.link = found;
      const { start, end } = read.entry;
      return { header: editHeader(read, edit) ?? read.bytes.slice(start, end) };
    }
    const edit = this.#attributesOf(found, target);
    const made = editHeader(found, { ...edit, path: written });
    const { entry, bytes } = found;
    const header = made ?? bytes.slice(0, entry.end);
    const sparse = made && entry.sparse;
    if (sparse) this.#holes.count(entry);
    return { header, file: found, sparse };
  }
}
