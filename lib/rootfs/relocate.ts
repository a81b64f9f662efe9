import { inputChanged } from "../errors/input_changed.ts";
import { ascii } from "../streams/bytes.ts";
import { NODE, type Node } from "./path_index.ts";
import type { Entry } from "../tar/entry.ts";
import { padded } from "../tar/block.ts";
import { patch, rebuild, type Target } from "../tar/rebuild.ts";
import { ancestorLength } from "../tar/path.ts";
import type { Globals } from "../tar/pax.ts";
import { Pieces } from "../tar/pieces.ts";
import { readEntry } from "../tar/read_entry.ts";
import type { TarData } from "../tar/items.ts";
import { TarReader } from "../tar/reader.ts";
import { SparseExpander } from "../tar/sparse.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";
import { missingHeader, opaqueHeader, Targets } from "./new_headers.ts";
import { isOverlayAttribute } from "./overlay.ts";
import type { Tree } from "./tree.ts";

const EMPTY = new Uint8Array(0);

/** Where and how {@linkcode relocate} places the entries. */
export interface RelocateOptions {
  /** What comes before every path, such as `rootfs/`. */
  prefix: string;
  /**
   * Turns each hard link to a symlink into a symlink: rkt changes the mode of
   * the symlink's target, or fails if there is none.
   */
  plainSymlinks?: boolean | undefined;
  /** The slot of the first entry that comes; 0 unless given. */
  first?: number | undefined;
  /**
   * Puts a directory whose entry comes again in an upper layer where it came
   * first: what is in it must not come before it.
   */
  parentsFirst?: boolean | undefined;
  /** Gets each entry that is written: its path, and what it is. */
  onEntry?: ((path: Uint8Array, node: Node) => void) | undefined;
}

/**
 * The header blocks of the tree's root directory under another name.
 *
 * @returns `undefined` if the input has no entry for it.
 */
export function rootHeader(tree: Tree, path: string): Uint8Array | undefined {
  if (!tree.root) return undefined;
  const { bytes, globals } = tree.root;
  const entry = readEntry(bytes, 0, []);
  if (typeof entry === "string" || !("kind" in entry)) {
    throw inputChanged();
  }
  const target = { path: ascii(path), without: isOverlayAttribute };
  return rebuild(bytes, entry, globals, target);
}

/**
 * Streams a tar's entries, relocated to where the tree has them. Header blocks
 * change in place where they have room, and are written anew elsewhere. Entries
 * that later ones replace are left out; missing directories get an entry;
 * sparse files come out whole. The caller adds the root directory's own entry
 * and the closing blocks of zeros.
 *
 * @param chunks The input's bytes. Changed in place and released.
 * @param tree What a first pass over the same bytes found.
 * @returns Chunks of whole blocks.
 * @throws {InputError} If the input is not the one that the first pass has seen.
 */
export async function* relocate(
  chunks: AsyncIterable<Uint8Array>,
  tree: Tree,
  options: RelocateOptions,
): AsyncGenerator<Uint8Array> {
  const tar = new TarReader(wholeBlocks(chunks));
  for await (const made of relocatedPieces(tar, tree, options)) {
    const bytes = made instanceof Pieces ? made.take() : made;
    if (bytes.length > 0) yield bytes;
  }
}

/**
 * As {@linkcode relocate}, in pieces.
 *
 * @param tar Reads the input.
 * @returns What becomes of each buffer, and what is not in one.
 */
export async function* relocatedPieces(
  tar: TarReader,
  tree: Tree,
  options: RelocateOptions,
): AsyncGenerator<Pieces | Uint8Array> {
  const relocator = new Relocator(tree, options);
  for await (const buffer of tar.buffers()) {
    const pieces = new Pieces(buffer, () => tar.take());
    for (let item; (item = tar.next());) {
      if (item.part === "header") {
        const waiting = relocator.header(item.entry, tar, pieces);
        if (waiting) await waiting;
      } else if (item.part === "data") {
        const expanded = relocator.data(item, buffer, pieces);
        // A sparse file may come out far larger than the buffer.
        if (!expanded) continue;
        yield pieces;
        yield* expanded;
      }
    }
    yield pieces;
  }
  relocator.end();
}

/**
 * Bytes of what {@linkcode relocate} makes.
 *
 * @param tar Reads the input; it may pass over data.
 */
export async function relocatedSize(
  tar: TarReader,
  tree: Tree,
  options: RelocateOptions,
): Promise<number> {
  const relocator = new Relocator(tree, options);
  let size = 0;
  const counter: PieceSink = {
    keep: (start, end) => void (size += end - start),
    add: (bytes) => void (size += bytes.length),
  };
  for await (const _ of tar.buffers()) {
    for (let item; (item = tar.next());) {
      if (item.part !== "header") continue;
      const waiting = relocator.header(item.entry, tar, counter);
      if (waiting) await waiting;
      if (!relocator.leavesOut) size += padded(item.entry.size);
    }
  }
  return size;
}

/** Gets what becomes of an entry's header blocks. */
type PieceSink = Pick<Pieces, "keep" | "add">;

/** Moves entries one by one, in the order of the tree's slots. */
export class Relocator {
  readonly #tree: Tree;
  readonly #options: RelocateOptions;
  readonly #prefix: Uint8Array;
  readonly #targets: Targets;
  #slot = 0;
  #leftOut = false;
  #expander: SparseExpander | undefined;
  /** Slots of directories that are in the place of an earlier entry. */
  readonly #early = new Set<number>();

  constructor(tree: Tree, options: RelocateOptions) {
    this.#tree = tree;
    this.#options = options;
    this.#prefix = ascii(options.prefix);
    this.#targets = new Targets(this.#prefix);
    this.#slot = options.first ?? 0;
  }

  /** Whether the current entry's data are left out. */
  get leavesOut(): boolean {
    return this.#leftOut;
  }

  /**
   * Moves the next entry.
   *
   * @param pieces Gets its header blocks, and those of directories that are
   * missing above it.
   * @param path Where the tree has it, if that is known.
   * @returns Nothing, if it is done: few entries need to wait for something.
   * @throws {InputError} If the tree has no such entry.
   */
  header(
    entry: Entry,
    tar: TarReader,
    pieces: PieceSink,
    path?: Uint8Array,
  ): Promise<void> | undefined {
    const { index } = this.#tree;
    // Missing directories have the slots before the entry's own.
    const first = this.#slot;
    let slot = first;
    while (slot < index.length && index.node(slot) === NODE.missing) slot++;
    if (slot >= index.length) throw inputChanged();
    this.#slot = slot + 1;
    this.#leftOut = true;
    if (slot > first) return this.#withMissing(entry, tar, pieces, first);
    return this.#place(entry, tar, pieces, path);
  }

  /**
   * Takes a stretch of the entry's data.
   *
   * @returns Pieces to write instead, if the file is a sparse one.
   */
  data(
    { start, end, dataEnd, done }: TarData,
    buffer: Uint8Array,
    pieces: Pieces,
  ): Generator<Uint8Array> | undefined {
    if (this.#leftOut) return undefined;
    if (this.#expander) {
      return this.#expand(this.#expander, buffer.slice(start, dataEnd), done);
    }
    pieces.keep(start, end);
    return undefined;
  }

  /** @throws {InputError} If the tree has entries that have not come. */
  end(): void {
    const { index } = this.#tree;
    while (
      this.#slot < index.length && index.node(this.#slot) === NODE.missing
    ) this.#slot++;
    if (this.#slot !== index.length) throw inputChanged();
  }

  async #withMissing(
    entry: Entry,
    tar: TarReader,
    pieces: PieceSink,
    first: number,
  ): Promise<void> {
    const slot = this.#slot - 1;
    const own = entry.kind === "label"
      ? EMPTY
      : this.#tree.paths.of(slot, entry);
    for (let i = first; i < slot; i++) {
      const path = own.subarray(0, ancestorLength(own, slot - i));
      await this.#missing(i, path, pieces);
    }
    await this.#place(entry, tar, pieces);
  }

  /** Writes what a missing directory gets. */
  async #missing(
    slot: number,
    path: Uint8Array,
    pieces: PieceSink,
  ): Promise<void> {
    const missing = await this.#tree.missing(slot, path);
    if (missing === "nothing") {
      if (this.#options.parentsFirst) await this.#putEarly(path, pieces);
      return;
    }
    this.#addOpaque(slot, path, pieces);
    if (missing === "new") {
      pieces.add(missingHeader(this.#prefix, path));
      return;
    }
    const { bytes, entry, globals } = missing;
    const target = this.#targets.of(entry, path, undefined);
    pieces.add(rebuild(bytes, entry, globals, target));
  }

  /** Writes the directory that a path is in the end, if it has not come yet. */
  async #putEarly(path: Uint8Array, pieces: PieceSink): Promise<void> {
    const { index, stored } = this.#tree;
    const slot = index.find(path);
    const isLater = slot >= this.#slot && index.node(slot) === NODE.directory;
    if (!isLater || path.length === 0 || this.#early.has(slot)) return;
    this.#early.add(slot);
    const { bytes, entry, globals } = await stored.read(slot);
    const target = this.#targets.of(entry, path, undefined);
    pieces.add(rebuild(bytes, entry, globals, target));
  }

  #addOpaque(slot: number, path: Uint8Array, pieces: PieceSink): void {
    if (!this.#tree.isOpaque(slot)) return;
    pieces.add(opaqueHeader(this.#prefix, path));
  }

  /** Puts the entry itself where it goes. */
  #place(
    entry: Entry,
    tar: TarReader,
    pieces: PieceSink,
    known?: Uint8Array,
  ): Promise<void> | undefined {
    const tree = this.#tree;
    const slot = this.#slot - 1;
    const path = known ?? tree.paths.destination(slot, entry);
    if (!path || path.length === 0) {
      const isAgain = this.#options.parentsFirst && entry.kind === "directory";
      return isAgain
        ? this.#putEarly(tree.paths.of(slot, entry), pieces)
        : undefined;
    }
    if (this.#early.size > 0 && this.#early.delete(slot)) return undefined;
    // In a rootfs the other kinds' data mean nothing.
    this.#leftOut = entry.kind !== "file";
    this.#addOpaque(slot, path, pieces);
    this.#options.onEntry?.(path, tree.index.node(slot));
    if (entry.sparse) this.#expander = new SparseExpander(entry.sparse);
    const link = entry.kind === "hardlink"
      ? tree.paths.linkTarget(slot, entry)
      : undefined;
    const target = this.#targets.of(entry, path, link);
    const as = tree.becomes(slot);
    if (as) target.as = as;
    const symlink = this.#options.plainSymlinks
      ? tree.links.symlink(slot)
      : undefined;
    const model = symlink ?? tree.links.model(slot);
    if (model !== undefined) {
      if (symlink === undefined) target.as = "hardlink";
      else delete target.link;
      return this.#asModel(model, target, pieces);
    }
    const { bytes, globals } = tar;
    if (globals.size === 0 && patch(bytes, entry, target)) {
      pieces.keep(entry.start, entry.end);
    } else pieces.add(rebuild(bytes, entry, globals, target));
    return undefined;
  }

  /** Writes an entry with another one's metadata. */
  async #asModel(
    model: number,
    target: Target,
    pieces: PieceSink,
  ): Promise<void> {
    const { bytes, entry, globals } = await this.#tree.stored.read(model);
    pieces.add(rebuild(bytes, entry, globals, target));
  }

  *#expand(
    expander: SparseExpander,
    data: Uint8Array,
    done: boolean,
  ): Generator<Uint8Array> {
    if (done) this.#expander = undefined;
    for (const piece of expander.push(data)) yield piece.slice();
    if (done) yield* expander.end();
  }
}

/** An entry's new header blocks in bytes, as {@linkcode relocate} makes them. */
export function headerSize(
  bytes: Uint8Array,
  entry: Entry,
  globals: Globals,
  target: Target,
): number {
  if (globals.size === 0 && patch(bytes, entry, target, true)) {
    return entry.end - entry.start;
  }
  return rebuild(bytes, entry, globals, target).length;
}
