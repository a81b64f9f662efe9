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
import type { Pieces } from "../tar/pieces.ts";
import type { TarData } from "../tar/reader.ts";
import { SparseExpander } from "../tar/sparse.ts";
import { AttributeEdits } from "./attributes.ts";
import { DroppedFiles } from "./dropped_files.ts";
import { editHeader, type HeaderEdit } from "./edited_header.ts";
import type { EditedTar, Edits } from "./edits.ts";
import type { LinkedNames } from "./linked_names.ts";
import { type Fate, Fates } from "./fates.ts";

const EMPTY = new Uint8Array(0);

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
  #leavesOut = false;
  #expander: SparseExpander | undefined;

  /**
   * Prepares to edit.
   *
   * @param base The tar; data of left out files may be read again.
   * @param names The hard links that there are, where that matters.
   * @param onKept Gets each path that stays.
   */
  constructor(
    base: Source,
    edits: Edits,
    tar: EditedTar,
    { names, onKept }: {
      names?: LinkedNames | undefined;
      onKept?: ((path: Uint8Array, entry: Entry) => void) | undefined;
    },
  ) {
    this.#names = names;
    this.#edits = edits;
    this.#tar = tar;
    this.#onKept = onKept;
    this.#fates = new Fates(edits, tar);
    this.#linkFates = new Fates(edits, tar);
    this.#attributes = new AttributeEdits(edits);
    this.#dropped = new DroppedFiles(base);
    this.#holes = new Holes(tar.maxUnpacked);
  }

  /**
   * Takes the next entry.
   *
   * @param place Offset of its header blocks in the base, in bytes.
   * @param pieces Gets what becomes of them.
   * @returns What has to be written after that, if a hard link becomes a file.
   * @throws {InputError} If a hard link loses its file.
   */
  header(
    read: ReadEntry,
    place: number,
    pieces: Pieces,
  ): AsyncGenerator<Uint8Array> | undefined {
    const { entry, globals } = read;
    this.#leavesOut = false;
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
    this.#release(pieces);
    this.#onKept?.(fate.path, entry);
    const target = this.#target(entry);
    if (target?.by) return this.#inherit(read, fate, target);
    this.#put(read, this.#editOf(read, fate, target, whiteout), pieces);
    return undefined;
  }

  /** Takes a stretch of the entry's data; returns what is written instead. */
  data(
    { start, end, dataEnd, done }: TarData,
    buffer: Uint8Array,
    pieces: Pieces,
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

  /** Settles what is only known after the last entry. */
  end(): void {
    if (this.#edits.exclude) {
      this.#edits.exclude.tally.entries += this.#held.size;
    }
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

  /** Writes the directories that stay for the newest entry. */
  #release(pieces: Pieces): void {
    for (const key of this.#fates.heldAbove()) {
      const header = this.#held.get(key);
      this.#needed.add(key);
      if (!header) continue;
      pieces.add(header);
      this.#held.delete(key);
      this.kept++;
    }
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
    if (!file || !this.#attributes.needsText) {
      return this.#attributes.of(read, undefined);
    }
    const own = file.by ? [] : [this.#fates.text(file.path)];
    const names = [...own, ...this.#names?.of(file.given) ?? []];
    return this.#attributes.of(read, names);
  }

  /** Writes an entry's header blocks. */
  #put(read: ReadEntry, edit: HeaderEdit, pieces: Pieces): void {
    const { entry, globals } = read;
    const isSame = globals.size === 0 && Object.keys(edit).length === 0;
    const made = isSame ? undefined : editHeader(read, edit);
    if (!made) return pieces.keep(entry.start, entry.end);
    pieces.add(made);
    if (!entry.sparse) return;
    this.#holes.count(entry);
    this.#expander = new SparseExpander(entry.sparse);
  }

  /** Makes a file of a hard link whose file is left out. */
  async *#inherit(
    read: ReadEntry,
    fate: Fate,
    target: Fate,
  ): AsyncGenerator<Uint8Array> {
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
      yield editHeader(read, edit) ?? read.bytes.slice(start, end);
      return;
    }
    const edit = this.#attributesOf(found, target);
    const made = editHeader(found, { ...edit, path: written });
    const { entry, bytes } = found;
    yield made ?? bytes.slice(0, entry.end);
    if (!made || !entry.sparse) return yield* found.data();
    this.#holes.count(entry);
    const expander = new SparseExpander(entry.sparse);
    let left = entry.stored;
    for await (const chunk of found.data()) {
      const data = chunk.subarray(0, left);
      left -= data.length;
      yield* expanded(expander, data, false);
    }
    yield* expander.end();
  }
}

function* expanded(
  expander: SparseExpander,
  data: Uint8Array,
  done: boolean,
): Generator<Uint8Array> {
  for (const piece of expander.push(data)) yield piece.slice();
  if (done) yield* expander.end();
}
