import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import { ascii, equalBytes, startsWith } from "../streams/bytes.ts";
import { seal } from "./link_metadata.ts";
import { HardLinks } from "./hard_links.ts";
import { FLAG, NODE, type Node, PathIndex } from "./path_index.ts";
import { impliedHeader } from "./relocate.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import type { Source } from "../streams/source.ts";
import { StoredEntries } from "./stored_entries.ts";
import { climbs, follow } from "./symlinks.ts";
import {
  type LayerChange,
  MAX_UNPACKED,
  type TreeOptions,
} from "./tree_options.ts";
import { type Whiteout, whiteoutOf, Whiteouts } from "./whiteouts.ts";
import { BLOCK, FIELD, numberField } from "../tar/block.ts";
import { entriesOf } from "../tar/entries.ts";
import type { Entry } from "../tar/entry.ts";
import {
  ancestorLength,
  isWhiteout,
  joinPath,
  normalizePath,
} from "../tar/path.ts";
import type { Globals } from "../tar/pax.ts";

/** Symlinks followed for one path before it counts as a loop, as Linux does. */
const MAX_LINKS = 40;

/** Implied directories taken: each one costs memory and an entry of output. */
const MAX_IMPLIED = 1 << 18;

const EMPTY = new Uint8Array(0);
const decoder = new TextDecoder();
const TMP = ascii("tmp/");
const PREFIX = ascii(ROOTFS);

/**
 * The tree that a tar's entries make, checked as they come: which entries
 * survive, where each one goes, and which directories are missing.
 *
 * The second pass over the input takes entries in the same order and asks for
 * them by slot.
 */
export class Tree {
  readonly index = new PathIndex();
  readonly links = new HardLinks(this.index);
  /** The entries' header blocks. */
  readonly stored: StoredEntries;
  /** Reasons to write the layer anew, each with the first path it is for. */
  readonly changes = new Map<LayerChange, string>();
  /** Header blocks of the newest entry for the root directory itself. */
  root: { bytes: Uint8Array; globals: Globals } | undefined;
  /** How many entries the input has. */
  entries = 0;
  /** Whether something lies in the tree's /tmp. */
  usesTmp = false;
  /** Whether it has devices that rkt cannot get past, see {@linkcode stopsRkt}. */
  stopsRkt = false;
  /**
   * The first symlink that would lead out of the archive, if it were followed
   * where it stands: skopeo and podman unpack no `oci-archive:` that has one.
   */
  climbing: string | undefined;
  /** Size in bytes of the entries that missing directories get in rootfs/. */
  impliedSize = 0;
  /** Whether some entries are dropped or changed: sizes need a pass of their own. */
  rearranged = false;
  /** Paths of entries that stand elsewhere than their header says, by slot. */
  readonly #moved = new Map<number, Uint8Array>();
  /** Directories of the tree below that the layer puts something else for. */
  readonly #replaced: Uint8Array[] = [];
  /** Slots of entries that are left out in the end. */
  readonly #hidden: number[] = [];
  /** What the layer deletes of lower ones; only filled for a layer. */
  readonly whiteouts = new Whiteouts();
  /**
   * Directories that the layer has no entry for although it needs one, by slot:
   * their slots in the tree below. Docker's overlay2 makes such a directory
   * anew, with mode 0755 and owner root, and so hides the one below.
   */
  readonly gaps = new Map<number, { below: number; path: Uint8Array }>();
  /**
   * Directories that take the place of a deleted file, whose entry comes after
   * others below them: the slot where it is missed, and its own.
   */
  readonly early = new Map<number, number>();
  /** Slots of directories that the layer deletes first and makes anew. */
  readonly opaque = new Set<number>();
  readonly #source: Source;
  readonly #options: TreeOptions;
  readonly #strip: Uint8Array | undefined;
  /** Where the newest layer starts: offset in bytes, and first slot. */
  #layer = { place: 0, slot: 0 };
  /** Bytes that sparse files do not store. */
  #holes = 0;
  #implied = 0;
  /** The last directory that an entry was put in: many follow in the same. */
  #lastFrom = EMPTY;
  #lastTo = EMPTY;

  constructor(source: Source, options: TreeOptions = {}) {
    this.#source = source;
    this.stored = new StoredEntries(source, this.index);
    this.#options = options;
    this.#strip = options.strip === undefined
      ? undefined
      : ascii(options.strip);
  }

  /**
   * Starts another layer, on top of those whose entries have been added: what
   * it deletes of them is dropped. Deletions of single files need one look-up
   * each; those of directories, all together, a pass over the lower layers'
   * headers.
   *
   * @param place Offset of its first byte in the source.
   * @param layer Its own tree.
   */
  async beginLayer(place: number, layer: Tree): Promise<void> {
    this.#layer = { place, slot: this.index.length };
    await this.#delete([
      ...[...layer.whiteouts].map(({ whiteout }) => whiteout),
      ...layer.#replaced.filter((path) => !isDirectory(layer.nodeAt(path)))
        .map((path) => ({ path, opaque: false })),
    ]);
  }

  async #delete(whiteouts: Whiteout[]): Promise<void> {
    const { index } = this;
    const deletions = new Whiteouts();
    for (const whiteout of whiteouts) {
      const { path, opaque } = whiteout;
      const slot = index.find(path);
      if (slot < 0) continue;
      if (isDirectory(index.node(slot))) deletions.add(whiteout, slot);
      else if (!opaque) this.#drop(slot);
    }
    if (deletions.isEmpty) return;
    let slot = 0;
    const lower = this.#source.slice(0, this.#layer.place).stream();
    for await (const { entry } of entriesOf(lower)) {
      const own = entry.kind === "label" ? EMPTY : this.path(slot, entry);
      const first = slot;
      while (index.node(slot) === NODE.implied) slot++;
      const path = first === slot ? own : this.path(slot, entry);
      for (let i = first; i <= slot && i < this.#layer.slot; i++) {
        const at = path.subarray(0, ancestorLength(path, slot - i));
        if (index.has(i, FLAG.dropped)) continue;
        if (deletions.deletes(at)) this.#drop(i);
      }
      slot++;
    }
  }

  /**
   * Takes the next entry.
   *
   * @param bytes The buffer it was read from.
   * @param place Offset of its first header block in the input, in bytes.
   * @returns The path that it goes to so far, or `undefined` if it is left out.
   * @throws {InputError} If it cannot be part of a rootfs; the message names
   * the entry and what to do.
   */
  async add(
    bytes: Uint8Array,
    entry: Entry,
    place: number,
    globals: Globals,
  ): Promise<Uint8Array | undefined> {
    this.entries++;
    try {
      return await this.#add(bytes, entry, place, globals);
    } catch (error) {
      if (error instanceof InputError || error instanceof RangeError) {
        throw new InputError(
          `Entry ${shown(entry.path)}: ${error.message}`,
        );
      }
      throw error;
    }
  }

  async #add(
    bytes: Uint8Array,
    entry: Entry,
    place: number,
    globals: Globals,
  ): Promise<Uint8Array | undefined> {
    const { index } = this;
    this.#noteChanges(entry, globals);
    if (entry.kind === "label") {
      index.addHidden();
      this.rearranged = true;
      return undefined;
    }
    if (entry.path.length === 0) {
      throw new InputError("It has no name; archive the tree anew");
    }
    const given = this.#stripped(normalizePath(entry.path));
    if (given === undefined) {
      index.addHidden();
      this.rearranged = true;
      this.change("aci", EMPTY);
      return undefined;
    }
    if (given.length === 0) {
      if (entry.kind !== "directory") {
        throw new InputError(
          "The root of the tree is no directory; archive what is in it",
        );
      }
      this.root = {
        bytes: bytes.slice(entry.start, entry.end),
        globals,
      };
      index.addHidden();
      return undefined;
    }
    const { base, layered } = this.#options;
    const isLayer = layered || (base && !this.#strip);
    if (isLayer && whiteoutOf(given)) {
      if (layered) {
        index.addHidden();
        this.rearranged = true;
      } else await this.#addWhiteout(entry, given, place);
      return undefined;
    }
    if (isWhiteout(given) && (isLayer || !this.#options.allowWhiteouts)) {
      throw new InputError(
        "Docker, podman and containerd take a name that starts with '.wh.' " +
          "for a deletion, while rkt, runc and LXD keep it as a file; rename " +
          `it${base ? "" : ", or allow it with --allow-whiteouts"}`,
      );
    }
    const hidden = entry.kind !== "directory" && this.#hides(given);
    const path = await this.#settle(given, entry);
    if (entry.kind === "hardlink") {
      await this.#addLink(bytes, entry, given, path, place, globals);
      if (hidden) this.#hide(path);
      return this.destination(index.length - 1, entry);
    }
    if (entry.kind === "symlink" && entry.link.length === 0) {
      throw new InputError("The symlink has no target");
    }
    const node = entry.kind === "file"
      ? NODE.file
      : entry.kind === "directory"
      ? NODE.directory
      : entry.kind === "symlink"
      ? NODE.symlink
      : stopsRkt(bytes, entry)
      ? NODE.hidden
      : NODE.other;
    if (node === NODE.hidden) this.stopsRkt = true;
    if (node === NODE.symlink && climbs(path, entry.link)) {
      this.climbing ??= shown(path);
    }
    await this.#replace(path, node);
    this.#put(given, path, node, place, seal(bytes, entry, globals));
    if (hidden) this.#hide(path);
    return path;
  }

  /** Tells whether a list of what is visible leaves a path out. */
  #hides(path: Uint8Array): boolean {
    const { only } = this.#options;
    return only !== undefined && !only.has(`/${decoder.decode(path)}`);
  }

  /** Leaves the newest entry out, once all hard links to it are known. */
  #hide(path: Uint8Array): void {
    this.#hidden.push(this.index.length - 1);
    this.change("hidden-files", path);
  }

  /** Takes an entry that deletes what lower layers have. */
  async #addWhiteout(
    entry: Entry,
    given: Uint8Array,
    place: number,
  ): Promise<void> {
    const path = await this.#settle(given, entry);
    const whiteout = whiteoutOf(path)!;
    if (whiteout.path.length === 0 && this.#options.base!.index.length > 0) {
      throw new InputError(
        "It deletes all that lower layers have, which Docker does not do; " +
          "delete each path, or build an image of this layer alone",
      );
    }
    await this.#replace(path, NODE.other);
    const slot = this.#put(given, path, NODE.other, place, 0);
    this.whiteouts.add(whiteout, slot);
    this.#lastFrom = EMPTY;
    this.#lastTo = EMPTY;
  }

  /**
   * Settles whiteouts that Docker's overlay2 does not take as the specification
   * says: a directory that is deleted and made anew keeps its old content there,
   * a deletion behind its path's new entry makes it fail, and one in a directory
   * that lower layers do not have shows up as a file.
   */
  #settleWhiteouts(base: Tree): void {
    const { index, whiteouts } = this;
    for (const { whiteout: { path, opaque }, slot } of whiteouts) {
      if (index.has(slot, FLAG.dropped)) continue;
      const cut = path.lastIndexOf(0x2f);
      const parent = path.subarray(0, Math.max(cut, 0));
      if (opaque) {
        // Engines do not agree on whether it makes its directory, and containerd
        // deletes what stands before it in the lowest layer.
        if (
          path.length === 0 || this.nodeAt(path) === NODE.implied &&
            (!isDirectory(base.nodeAt(path)) || whiteouts.empties(parent))
        ) {
          this.#drop(slot);
          this.change("whiteouts", path);
        }
        continue;
      }
      const anew = index.find(path);
      if (anew < 0) {
        if (
          parent.length === 0 ||
          (this.isBelow(parent) && !whiteouts.empties(parent))
        ) continue;
      } else if (
        isDirectory(index.node(anew)) && isDirectory(base.nodeAt(path))
      ) {
        if (!whiteouts.isOpaque(path)) this.opaque.add(anew);
      } else if (slot < anew && !isDirectory(index.node(anew))) continue;
      this.#drop(slot);
      this.change("whiteouts", path);
    }
  }

  /** A path without the directory that is stripped; none if it is not below. */
  #stripped(path: Uint8Array): Uint8Array | undefined {
    const strip = this.#strip;
    if (!strip) return path;
    if (!startsWith(path, strip)) return undefined;
    if (path.length === strip.length) return EMPTY;
    return path[strip.length] === 0x2f
      ? path.subarray(strip.length + 1)
      : undefined;
  }

  /** Adds the entry to the index. */
  #put(
    given: Uint8Array,
    path: Uint8Array,
    node: Node,
    place: number,
    seal: number,
  ): number {
    if (startsWith(path, TMP)) this.usesTmp = true;
    if (this.#options.base && startsWith(this.#lastFrom, given)) {
      // It hides a symlink of the tree below, that others were moved along.
      this.#lastFrom = EMPTY;
      this.#lastTo = EMPTY;
    }
    const slot = this.index.add(
      path,
      path.length,
      node,
      place / BLOCK,
      seal,
    );
    if (!isDirectory(node) && isDirectory(this.#options.base?.nodeAt(path))) {
      this.#replaced.push(path.slice());
    }
    if (given !== path) {
      this.index.mark(slot, FLAG.moved);
      this.#moved.set(slot, path.slice());
    }
    return slot;
  }

  #noteChanges(entry: Entry, globals: Globals): void {
    if (entry.sparse) this.#noteSparse(entry);
    if (globals.size > 0) this.change("global-headers", entry.path);
    this.stored.noteGlobals(globals);
    if (entry.kind === "label") this.change("volume-label", entry.path);
    // "7" means a plain file to GNU tar; Docker refuses it.
    const plain = entry.flag === 0x30 || entry.flag === 0;
    if (entry.kind === "file" && !plain && entry.flag !== 0x53) {
      this.change("entry-types", entry.path);
    }
    // "0" with a slash at the end is a directory to GNU tar, a file to others.
    if (entry.kind === "directory" && entry.flag === 0x30) {
      this.change("entry-types", entry.path);
    }
  }

  #noteSparse(entry: Entry): void {
    this.change("sparse-files", entry.path);
    const { maxUnpacked = MAX_UNPACKED } = this.#options;
    this.#holes += entry.size - entry.stored;
    if (this.#holes > maxUnpacked) {
      throw new InputError(
        `With its holes filled, sparse files grow by more than ${maxUnpacked} ` +
          "bytes; if they shall, raise the limit with --max-unpacked",
      );
    }
  }

  /** Notes a reason to write the layer anew. */
  change(reason: LayerChange, path: Uint8Array): void {
    if (!this.changes.has(reason)) this.changes.set(reason, shown(path));
  }

  /**
   * The path an entry goes to, symlinks above it followed; makes its parents.
   * Nearly all entries lie in the directory of the last one: no promise for these.
   */
  #settle(given: Uint8Array, entry: Entry): Uint8Array | Promise<Uint8Array> {
    const cut = given.lastIndexOf(0x2f);
    if (cut < 0) return given;
    if (cut !== this.#lastFrom.length || !startsWith(given, this.#lastFrom)) {
      return this.#settleAnew(given, given.slice(0, cut), entry);
    }
    return this.#lastFrom === this.#lastTo
      ? given
      : joinPath(this.#lastTo, given.subarray(cut + 1));
  }

  async #settleAnew(
    given: Uint8Array,
    parent: Uint8Array<ArrayBuffer>,
    entry: Entry,
  ): Promise<Uint8Array> {
    let path = given;
    for (let hops = 0;;) {
      const obstacle = this.index.obstacle(path);
      if (!obstacle) break;
      if (obstacle.slot < 0) {
        const below = await this.#linkBelow(path, obstacle.length);
        if (below) {
          if (++hops > MAX_LINKS) throw new InputError("Its symlinks loop");
          // Docker would hide the symlink behind a new directory.
          this.change("moved-entries", entry.path);
          path = below;
          if (path.length === 0) {
            throw new InputError("It would replace the root");
          }
          continue;
        }
        if (path !== given) this.change("moved-entries", entry.path);
        await this.#imply(path, obstacle.length);
        break;
      }
      const above = path.subarray(0, obstacle.length);
      if (this.index.node(obstacle.slot) !== NODE.symlink) {
        throw new InputError(
          `${shown(above)} stands above it and is no directory; remove ` +
            "one of the two",
        );
      }
      if (++hops > MAX_LINKS) {
        throw new InputError(
          `It lies below the symlink ${shown(above)}, which leads ` +
            "nowhere; remove one of the two",
        );
      }
      const target = await this.#readLink(obstacle.slot);
      path = follow(above, target, path.subarray(obstacle.length + 1));
      if (path.length === 0) throw new InputError("It would replace the root");
    }
    const to = path.lastIndexOf(0x2f);
    this.#lastFrom = parent;
    this.#lastTo = path === given
      ? this.#lastFrom
      : path.slice(0, to < 0 ? 0 : to);
    return path;
  }

  /**
   * The path that another one leads to by the first symlink above it that the
   * tree below the layer has, or `undefined` if there is none.
   *
   * @param from Length of the first part that the layer itself does not have.
   */
  async #linkBelow(
    path: Uint8Array,
    from: number,
  ): Promise<Uint8Array | undefined> {
    const { base } = this.#options;
    if (!base) return undefined;
    for (let i = from; i < path.length; i++) {
      if (path[i] !== 0x2f) continue;
      const above = path.subarray(0, i);
      const node = base.nodeAt(above);
      if (node === undefined || this.whiteouts.deletes(above)) return undefined;
      if (node === NODE.symlink) {
        const target = await base.linkAt(above);
        return follow(above, target!, path.subarray(i + 1));
      }
    }
    return undefined;
  }

  /** Tells whether a path is a directory in the tree below, and stays one. */
  isBelow(path: Uint8Array): boolean {
    return isDirectory(this.#options.base?.nodeAt(path)) &&
      !this.whiteouts.deletes(path);
  }

  /** Tells whether the tree below has a path that is no directory. */
  #isFileBelow(path: Uint8Array): boolean {
    const node = this.#options.base?.nodeAt(path);
    return node !== undefined && !isDirectory(node);
  }

  /** Notes a directory that the layer should have an entry for. */
  async #noteGap(path: Uint8Array, slot: number, base: Tree): Promise<void> {
    const node = base.nodeAt(path);
    if (node === undefined || this.whiteouts.deletes(path)) return;
    if (!isDirectory(node)) {
      throw new InputError(
        `${shown(path)} stands above it and is no directory in the layers ` +
          "below; put an entry for the directory in front",
      );
    }
    if (node === NODE.implied) return;
    const below = base.index.find(path);
    const { bytes, entry } = await base.stored.read(below);
    if (isPlainDirectory(bytes, entry)) return;
    this.gaps.set(slot, { below, path: path.slice() });
  }

  /** Decides which directories the layer gets an entry for. */
  #settleGaps(): void {
    for (const [slot, { path }] of this.gaps) {
      // The entry may have come later, or the directory below is deleted.
      if (this.index.has(slot, FLAG.dropped) || this.whiteouts.deletes(path)) {
        this.gaps.delete(slot);
      } else if (!this.#options.keepGaps) {
        this.change("missing-directories", path);
      }
    }
  }

  /** Adds the missing directories above a path, outermost first. */
  async #imply(path: Uint8Array, from: number): Promise<void> {
    for (let i = from; i < path.length; i++) {
      if (path[i] !== 0x2f) continue;
      if (++this.#implied > MAX_IMPLIED) {
        throw new InputError(
          `More than ${MAX_IMPLIED} directories have no entry of their own`,
        );
      }
      const slot = this.index.add(path, i, NODE.implied, 0, 0);
      const { base } = this.#options;
      if (base) await this.#noteGap(path.subarray(0, i), slot, base);
      this.impliedSize += impliedHeader(PREFIX, path.subarray(0, i), 0).length;
    }
  }

  /** Makes way for an entry: drops what had its path, if that is allowed. */
  #replace(path: Uint8Array, node: Node): Promise<void> | undefined {
    const { index } = this;
    const old = index.find(path);
    if (old < 0) return undefined;
    const was = index.node(old);
    if (old < this.#layer.slot) return this.#replaceLower(path, old, node);
    // A directory may take a symlink's place, as it does in all engines.
    if (isDirectory(was) !== isDirectory(node) && was !== NODE.symlink) {
      throw new InputError(
        "The path is a directory and something else; remove one of the two",
      );
    }
    if (was === NODE.implied) {
      index.mark(old, FLAG.dropped);
      if (this.#isFileBelow(path)) {
        // The next slot is the entry's.
        this.early.set(old, index.length);
        this.change("whiteouts", path);
      }
      this.impliedSize -= impliedHeader(PREFIX, path, 0).length;
      return undefined;
    }
    this.#drop(old);
    this.change("repeated-paths", path);
    return undefined;
  }

  /** A layer's entry hides whatever lower layers have at its path. */
  async #replaceLower(
    path: Uint8Array,
    old: number,
    node: Node,
  ): Promise<void> {
    const whole = isDirectory(this.index.node(old)) && !isDirectory(node);
    if (!whole) this.#drop(old);
    else await this.#delete([{ path, opaque: false }]);
  }

  #drop(slot: number): void {
    const { index } = this;
    index.mark(slot, FLAG.dropped);
    this.links.noteDropped(slot);
    this.rearranged = true;
    this.#lastFrom = EMPTY;
    this.#lastTo = EMPTY;
  }

  async #addLink(
    bytes: Uint8Array,
    entry: Entry,
    given: Uint8Array,
    path: Uint8Array,
    place: number,
    globals: Globals,
  ): Promise<void> {
    const { index } = this;
    let wanted;
    try {
      const link = this.#stripped(normalizePath(entry.link));
      if (!link) throw new RangeError(`It is not below ${this.#options.strip}`);
      wanted = link;
    } catch (error) {
      throw new InputError(
        `Its link target ${shown(entry.link)} leads out of the tree: ` +
          (error as Error).message,
      );
    }
    const targetPath = await this.#resolveTarget(wanted);
    const target = targetPath.length === 0 ? -1 : index.find(targetPath);
    if (target < 0) {
      if ((await this.#options.base?.lookUp(wanted) ?? -1) >= 0) {
        throw new InputError(
          `It is a hard link to ${shown(entry.link)}, which only a lower ` +
            "layer has: Docker cannot link to that; put the file itself here",
        );
      }
      throw new InputError(
        `It is a hard link to ${shown(entry.link)}, which does not stand ` +
          "before it in the archive; put the file itself in front",
      );
    }
    const node = index.node(target);
    if (isDirectory(node)) {
      throw new InputError(
        `It is a hard link to the directory ${shown(entry.link)}; make ` +
          "it a symlink",
      );
    }
    if (equalBytes(targetPath, path)) {
      // tar writes this for a file named twice on its command line.
      index.addHidden();
      this.rearranged = true;
      this.change("hard-links", path);
      return;
    }
    await this.#replace(path, node);
    const leads = this.links.shortened(target);
    const slot = this.#put(given, path, node, place, leads);
    index.mark(slot, FLAG.link);
    index.mark(target, FLAG.linked);
    // A hard link to a symlink becomes a symlink of its own below rootfs/.
    if (node === NODE.symlink) this.rearranged = true;
    // Engines give a link's own metadata to the file that it shares.
    const root = this.links.rootOf(target);
    if (index.seal(root) !== seal(bytes, entry, globals)) {
      index.mark(slot, FLAG.differs);
      this.change("hard-links", path);
      this.rearranged = true;
    }
    if (leads !== target) {
      this.links.setTarget(slot, await this.#pathOf(leads));
    } else if (targetPath !== wanted) {
      this.links.setTarget(slot, targetPath.slice());
    }
  }

  /** Follows symlinks above a path, not at its end; empty if that fails. */
  async #resolveTarget(wanted: Uint8Array): Promise<Uint8Array> {
    let path = wanted;
    for (let hops = 0; hops <= MAX_LINKS; hops++) {
      const obstacle = this.index.obstacle(path);
      if (!obstacle) return path;
      if (obstacle.slot < 0) {
        const below = await this.#linkBelow(path, obstacle.length);
        if (!below) return EMPTY;
        path = below;
        continue;
      }
      if (this.index.node(obstacle.slot) !== NODE.symlink) return EMPTY;
      path = follow(
        path.subarray(0, obstacle.length),
        await this.#readLink(obstacle.slot),
        path.subarray(obstacle.length + 1),
      );
    }
    return EMPTY;
  }

  /**
   * The slot that a path leads to, all symlinks followed, or -1.
   *
   * @param path A path in the tree, such as `/bin/sh`.
   */
  async lookUp(path: Uint8Array): Promise<number> {
    let wanted = normalizePath(path);
    for (let hops = 0; hops <= MAX_LINKS; hops++) {
      wanted = await this.#resolveTarget(wanted);
      const slot = wanted.length === 0 ? -1 : this.index.find(wanted);
      if (slot < 0 || this.index.node(slot) !== NODE.symlink) return slot;
      wanted = follow(wanted, await this.#readLink(slot), EMPTY);
    }
    return -1;
  }

  /**
   * Reads the first bytes of a regular file of the tree.
   *
   * @param path Its path; symlinks are followed.
   * @param limit How many bytes at the most.
   * @returns Mode and bytes, or `undefined` if there is no such file.
   */
  async readFile(
    path: Uint8Array,
    limit: number,
  ): Promise<{ mode: number; bytes: Uint8Array } | undefined> {
    const slot = await this.lookUp(path);
    if (slot < 0 || this.index.node(slot) !== NODE.file) return undefined;
    const root = this.links.rootOf(slot);
    const { bytes, entry } = await this.stored.read(root);
    return {
      mode: numberField(bytes, FIELD.mode, entry.header)! & 0o7777,
      bytes: await this.stored.readFile(root, limit),
    };
  }

  /** What stands at a path, or `undefined` if nothing does. */
  nodeAt(path: Uint8Array): Node | undefined {
    const slot = this.index.find(path);
    return slot < 0 ? undefined : this.index.node(slot);
  }

  /** The target of the symlink at a path, or `undefined` if there is none. */
  async linkAt(path: Uint8Array): Promise<Uint8Array | undefined> {
    const slot = this.index.find(path);
    if (slot >= 0 && this.index.node(slot) === NODE.symlink) {
      return await this.#readLink(slot);
    }
    return undefined;
  }

  async #readLink(slot: number): Promise<Uint8Array> {
    const { entry } = await this.stored.read(slot);
    // A hard link to a symlink is one as well: its own header has no target.
    if (entry.kind !== "hardlink") return entry.link;
    return await this.#readLink(this.links.rootOf(slot));
  }

  /** Settles what needs to know all entries. To be called once, behind the last. */
  async finish(): Promise<void> {
    for (const slot of this.#hidden) this.#drop(slot);
    if (this.#options.base) {
      this.#settleWhiteouts(this.#options.base);
      this.#settleGaps();
      for (const slot of this.early.values()) this.#drop(slot);
    }
    await this.links.settle((slot) => this.#pathOf(slot));
  }

  /** The final path of the entry in a slot. */
  async #pathOf(slot: number): Promise<Uint8Array> {
    const moved = this.#moved.get(slot);
    if (moved) return moved;
    const { entry } = await this.stored.read(slot);
    return this.path(slot, entry).slice();
  }

  /**
   * The path that the entry in a slot has in the tree, whether it is left out
   * or not.
   *
   * @param entry The entry as the second pass reads it.
   */
  path(slot: number, entry: Entry): Uint8Array {
    return this.#moved.get(slot) ??
      this.#stripped(normalizePath(entry.path)) ?? EMPTY;
  }

  /** Where the entry in a slot goes, or `undefined` if it is left out. */
  destination(slot: number, entry: Entry): Uint8Array | undefined {
    if (this.index.has(slot, FLAG.dropped)) return this.links.heir(slot);
    return this.path(slot, entry);
  }

  /** The path that the hard link in a slot leads to. */
  linkTarget(slot: number, entry: Entry): Uint8Array {
    return this.links.target(slot) ??
      this.#stripped(normalizePath(entry.link))!;
  }
}

/**
 * Tells whether an entry is a character device that rkt 1.30 cannot get past:
 * it reads every one in the root file system to its end, which /dev/zero and
 * /dev/full do not have and terminals refuse. /dev/null does no harm.
 */
function stopsRkt(bytes: Uint8Array, entry: Entry): boolean {
  if (entry.flag !== 0x33) return false;
  const major = numberField(bytes, FIELD.devmajor, entry.header);
  const minor = numberField(bytes, FIELD.devminor, entry.header);
  return major !== 1 || minor !== 3;
}

function isDirectory(node: Node | undefined): boolean {
  return node === NODE.directory || node === NODE.implied;
}

/** Whether a directory is as Docker makes one that a layer has no entry for. */
function isPlainDirectory(bytes: Uint8Array, entry: Entry): boolean {
  const { header, records } = entry;
  return (numberField(bytes, FIELD.mode, header)! & 0o7777) === 0o755 &&
    numberField(bytes, FIELD.uid, header) === 0 &&
    numberField(bytes, FIELD.gid, header) === 0 &&
    records.every(([key]) =>
      key !== "uid" && key !== "gid" && !key.startsWith("SCHILY.xattr.")
    );
}
