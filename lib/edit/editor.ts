import { Holes } from "../rootfs/holes.ts";
import type { Whiteout } from "../rootfs/whiteouts.ts";
import type { Source } from "../streams/source.ts";
import type { Entry } from "../tar/entry.ts";
import type { ReadEntry } from "../tar/entry_facts.ts";
import type { TarData } from "../tar/items.ts";
import { padded } from "../tar/block.ts";
import { SparseExpander } from "../tar/sparse.ts";
import { AttributeEdits } from "./attributes.ts";
import { DroppedFiles } from "./dropped_files.ts";
import { editHeader, type HeaderEdit } from "./edited_header.ts";
import { expanded, type Inherited } from "./inherited.ts";
import type { EditedPieces, EditedTar, Edits } from "./edits.ts";
import { HeldDirectories } from "./held_directories.ts";
import type { LinkedNames } from "./linked_names.ts";
import { EntryFates } from "./entry_fates.ts";
import type { Fate } from "./fates.ts";

const EMPTY = new Uint8Array(0);
const NO_NAMES: readonly string[] = [];
/** Where paths do not matter. */
const NO_FATE: Fate = { given: EMPTY, written: EMPTY, path: EMPTY };

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
  readonly #fates: EntryFates;
  readonly #attributes: AttributeEdits;
  readonly #dropped: DroppedFiles;
  readonly #names: LinkedNames | undefined;
  readonly #holes: Holes;
  readonly #held = new HeldDirectories();
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
    this.#attributes = new AttributeEdits(edits);
    const needsPaths = this.#attributes.needsText || onKept !== undefined;
    this.#fates = new EntryFates(edits, tar, needsPaths);
    this.#dropped = new DroppedFiles(base);
    this.#holes = new Holes(tar.maxUnpacked);
    this.#isAsItIs = this.#attributes.needsText &&
      !this.#fates.paths.isActive &&
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
    const whiteout = this.#fates.whiteout(entry);
    const fate = this.#fates.of(entry, whiteout);
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
    if (fate.path.length > 0 || !this.#fates.paths.isActive) this.kept++;
    const above = this.#fates.paths.heldAbove();
    if (above.length > 0) this.kept += this.#held.release(above, pieces);
    this.#onKept?.(fate.path, entry);
    const target = this.#fates.target(entry);
    if (target?.by) return this.#inherit(read, fate, target);
    this.isPlain = above.length === 0 && !whiteout &&
      entry.kind !== "hardlink" &&
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
    return this.#hasNoRule(entry)
      ? undefined
      : this.#fates.paths.of(entry.path);
  }

  /**
   * Keeps a directory that is left out for something below it that may stay.
   *
   * @returns Whether nothing below it has come yet.
   */
  #hold(read: ReadEntry, fate: Fate): boolean {
    const key = this.#fates.paths.text(fate.given);
    if (this.#held.isNeeded(key)) return false;
    const edit = this.#editOf(read, fate, undefined, undefined);
    const made = editHeader(read, edit);
    const { start, end } = read.entry;
    this.#held.hold(key, made ?? read.bytes.slice(start, end));
    this.#onKept?.(fate.path, read.entry);
    this.#leavesOut = true;
    return true;
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
      (entry) => this.#fates.links.of(entry.link)!,
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
