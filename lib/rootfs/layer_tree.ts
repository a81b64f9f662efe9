import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { concat, equalBytes, startsWith } from "../streams/bytes.ts";
import type { Source } from "../streams/source.ts";
import { ancestorLength } from "../tar/path.ts";
import { isDirectory, isPlainDirectory } from "./entry_node.ts";
import { NewDirectories } from "./new_directories.ts";
import { isOverlayWhiteout, overlayMarks } from "./overlay.ts";
import { FLAG, NODE, type Node } from "./path_index.ts";
import { follow } from "./symlinks.ts";
import { RepeatedFiles } from "./repeated_files.ts";
import type {
  AddedEntry,
  MissingDirectory,
  TakenEntry,
} from "./taken_entry.ts";
import { Tree, type TreeOptions } from "./tree.ts";
import { judgeWhiteout } from "./whiteout_rules.ts";
import {
  hasWhiteoutName,
  type Whiteout,
  whiteoutMarker,
  whiteoutOf,
  Whiteouts,
} from "./whiteouts.ts";

const decoder = new TextDecoder();

/** How {@linkcode LayerTree} takes its entries. */
export interface LayerOptions extends TreeOptions {
  /**
   * Whether names that start with `.wh.` are deletions; in an ACI, which has
   * none, they are refused.
   */
  whiteouts: boolean;
  /** Take only directories and, of all other entries, these absolute paths. */
  only?: ReadonlySet<string> | undefined;
  /**
   * Leave missing directories out of the layer, even where Docker then changes
   * the mode or owner that they have in the tree below.
   */
  keepMissing?: boolean | undefined;
  /** Leave out files that the tree below has already. */
  dedupe?: boolean | undefined;
}

/** The entries of one layer, to be put on top of the tree below it. */
export class LayerTree extends Tree {
  /** The tree below: its symlinks count, and its directories. */
  readonly base: Tree;
  /** What the layer deletes of lower ones. */
  readonly whiteouts = new Whiteouts();
  /**
   * Missing directories whose metadata the tree below has, by slot: their slots
   * there. Docker's overlay2 makes such a directory anew, with mode 0755 and
   * owner root, and so hides the one below.
   */
  readonly missingBelow = new Map<
    number,
    { below: number; path: Uint8Array }
  >();
  readonly #options: LayerOptions;
  /**
   * Directories that take the place of a deleted file, whose entry comes after
   * others below them: the slot where it is missed, and its own.
   */
  readonly #late = new Map<number, number>();
  /** Slots of directories that the layer deletes first and makes anew. */
  readonly #opaque = new Set<number>();
  /**
   * Directories of the tree below that the layer replaces by something else.
   */
  readonly #replaced: Uint8Array[] = [];
  /** Slots of deletions that become files: in the input they are devices. */
  readonly #files = new Set<number>();
  /** Slots of directories that overlayfs says are opaque, with their paths. */
  readonly #marked = new Map<number, Uint8Array>();
  /** Missing directories with nothing but deletions below them, by slot. */
  readonly #forWhiteouts = new Map<number, Uint8Array>();
  readonly #newDirectories = new NewDirectories();
  readonly #repeated: RepeatedFiles | undefined;

  constructor(source: Source, base: Tree, options: LayerOptions) {
    super(source, options);
    this.base = base;
    if (options.dedupe) this.#repeated = new RepeatedFiles(this, base);
    this.#options = options;
  }

  /** All that it deletes of the tree below. */
  *deletions(): Generator<Whiteout> {
    for (const { whiteout } of this.whiteouts) yield whiteout;
    for (const path of this.#replaced) {
      if (!isDirectory(this.files.nodeAt(path))) yield { path, opaque: false };
    }
  }

  override becomes(slot: number): "file" | undefined {
    return this.#files.has(slot) ? "file" : undefined;
  }

  override isOpaque(slot: number): boolean {
    return this.#opaque.has(slot);
  }

  override async missing(
    slot: number,
    path: Uint8Array,
  ): Promise<MissingDirectory> {
    const late = this.#late.get(slot);
    if (late !== undefined) return await this.stored.read(late);
    if (this.index.has(slot, FLAG.dropped)) return "nothing";
    const found = this.missingBelow.get(slot);
    if (found) return await this.base.stored.read(found.below);
    return this.#isDirectoryBelow(path) ? "nothing" : "new";
  }

  protected override takeWhiteout(
    added: AddedEntry,
    given: Uint8Array,
  ): boolean | Promise<undefined> {
    if (this.#options.whiteouts && whiteoutOf(given)) {
      return this.#addWhiteout(added, given, whiteoutOf);
    }
    if (this.#options.whiteouts && isOverlayWhiteout(added)) {
      return this.#addWhiteout(
        added,
        given,
        (path) => ({ path: path.slice(), opaque: false }),
      );
    }
    if (isOverlayWhiteout(added)) {
      // An ACI is no layer: there is nothing below that it could delete.
      this.leaveOut();
      this.changes.note("overlay-whiteouts", given);
      return true;
    }
    if (hasWhiteoutName(given)) {
      throw new InputError(
        "Docker, podman and containerd take a name that starts with '.wh.' " +
          "for a deletion, while rkt, runc and LXD keep it as a file; rename it",
      );
    }
    return false;
  }

  /**
   * Takes an entry that deletes what lower layers have.
   *
   * @param read Tells what an entry at a path deletes.
   */
  async #addWhiteout(
    added: AddedEntry,
    given: Uint8Array,
    read: (path: Uint8Array) => Whiteout | undefined,
  ): Promise<undefined> {
    const { index } = this;
    const isDevice = read !== whiteoutOf;
    const above = index.obstacle(given);
    if (above && above.slot >= 0 && index.node(above.slot) !== NODE.symlink) {
      // The layer has a file there, so that nothing is left to delete.
      this.leaveOut();
      this.changes.note("whiteouts", given);
      if (isDevice) this.changes.note("overlay-whiteouts", given);
      return undefined;
    }
    const before = index.length;
    const settled = await this.parents.settle(given, added.entry);
    for (let slot = before; slot < index.length; slot++) {
      const length = ancestorLength(settled, index.length - slot);
      this.#forWhiteouts.set(slot, settled.slice(0, length));
    }
    const whiteout = read(settled)!;
    if (whiteout.path.length === 0 && this.base.index.length > 0) {
      throw new InputError(
        "It deletes all that lower layers have, which Docker does not do; " +
          "delete each path, or build an image of this layer alone",
      );
    }
    const path = isDevice ? whiteoutMarker(settled) : settled;
    await this.makeWay(path, NODE.other);
    const slot = this.put({ added, given, path, node: NODE.other }, 0);
    this.whiteouts.add(whiteout, slot);
    this.parents.forget();
    if (isDevice) {
      this.#files.add(slot);
      this.changes.note("overlay-whiteouts", given);
    }
    return undefined;
  }

  protected override replace(
    path: Uint8Array,
    old: number,
    node: Node,
  ): Promise<void> | undefined {
    if (isDirectory(node) || !this.#forWhiteouts.has(old)) {
      return super.replace(path, old, node);
    }
    // A file takes the place of a directory of which only deletions are known.
    const below = concat([path, Uint8Array.of(0x2f)]);
    for (const [slot, directory] of this.#forWhiteouts) {
      if (slot !== old && !startsWith(directory, below)) continue;
      this.drop(slot);
      this.#newDirectories.remove(slot);
    }
    for (const { whiteout, slot } of this.whiteouts) {
      const isInside = startsWith(whiteout.path, below) ||
        whiteout.opaque && equalBytes(whiteout.path, path);
      if (isInside && slot !== undefined) this.drop(slot);
    }
    this.changes.note("whiteouts", path);
    return undefined;
  }

  protected override async linkBelow(
    path: Uint8Array,
    from: number,
  ): Promise<Uint8Array | undefined> {
    const { files } = this.base;
    for (let i = from; i < path.length; i++) {
      if (path[i] !== 0x2f) continue;
      const above = path.subarray(0, i);
      const node = files.nodeAt(above);
      if (node === undefined || this.whiteouts.deletes(above)) return undefined;
      if (node === NODE.symlink) {
        const target = await files.linkAt(above);
        return follow(above, target!, path.subarray(i + 1));
      }
    }
    return undefined;
  }

  protected override async isBelowOnly(wanted: Uint8Array): Promise<boolean> {
    return await this.base.files.lookUp(wanted) >= 0;
  }

  /** Whether a path is a directory in the tree below, and stays one. */
  #isDirectoryBelow(path: Uint8Array): boolean {
    return isDirectory(this.base.files.nodeAt(path)) &&
      !this.whiteouts.deletes(path);
  }

  protected override async onMissing(
    slot: number,
    path: Uint8Array,
  ): Promise<void> {
    const { base } = this;
    const node = base.files.nodeAt(path);
    if (node === undefined || this.whiteouts.deletes(path)) {
      this.#newDirectories.add(slot, path);
      return;
    }
    if (!isDirectory(node)) {
      throw new InputError(
        `${shown(path)} is above it and is no directory in the layers below; ` +
          "put an entry for the directory before it",
      );
    }
    if (node === NODE.missing) return;
    const below = base.index.find(path);
    if (isPlainDirectory(await base.stored.read(below))) return;
    this.missingBelow.set(slot, { below, path: path.slice() });
  }

  protected override onMissingTaken(slot: number, path: Uint8Array): void {
    this.#newDirectories.remove(slot);
    const below = this.base.files.nodeAt(path);
    if (below === undefined || isDirectory(below)) return;
    // The next slot is the entry's.
    this.#late.set(slot, this.index.length);
    this.changes.note("whiteouts", path);
  }

  protected override onTaken(
    { added, given, path, node }: TakenEntry,
    slot: number,
  ): void {
    // It may hide a symlink of the tree below that other paths lead through.
    this.parents.forgetBelow(given);
    if (!isDirectory(node) && isDirectory(this.base.files.nodeAt(path))) {
      this.#replaced.push(path.slice());
    }
    if (this.#forWhiteouts.size > 0) this.#noteContent(path, node);
    this.#takeMarks(added, path, slot);
    if (node === NODE.file || node === NODE.symlink) {
      this.#repeated?.note(path, slot);
    }
    const { only } = this.#options;
    if (
      only && added.entry.kind !== "directory" &&
      !only.has(`/${decoder.decode(given)}`)
    ) this.hide(slot, "hidden-files", path);
  }

  /** Notes that directories above an entry have more than deletions in them. */
  #noteContent(path: Uint8Array, node: Node): void {
    if (node === NODE.other && whiteoutOf(path)) return;
    for (let i = path.indexOf(0x2f); i >= 0; i = path.indexOf(0x2f, i + 1)) {
      this.#forWhiteouts.delete(this.index.find(path, i));
    }
  }

  /** Takes what overlayfs says of an entry. */
  #takeMarks(added: AddedEntry, path: Uint8Array, slot: number): void {
    const marks = overlayMarks(added);
    if (!marks) return;
    if (marks.redirect && this.base.index.length > 0) {
      throw new InputError(
        "Its attribute overlay.redirect says that its contents are at another " +
          "path of a lower layer, which only overlayfs knows; make the layer " +
          "of the mounted tree",
      );
    }
    const isFile = added.entry.kind === "file";
    if (marks.metacopy && isFile && this.base.index.length > 0) {
      throw new InputError(
        "Its attribute overlay.metacopy says that its data is in a lower " +
          "layer, which only overlayfs knows; make the layer of the mounted " +
          "tree",
      );
    }
    this.changes.note("overlay-attributes", path);
    if (marks.opaque && added.entry.kind === "directory") {
      this.whiteouts.add({ path: path.slice(), opaque: true });
      this.#marked.set(slot, path.slice());
    }
  }

  override async finish(): Promise<void> {
    await this.#dropRepeated();
    await super.finish();
  }

  /** Leaves out what the tree below has, and the layer does not delete there. */
  async #dropRepeated(): Promise<void> {
    if (!this.#repeated) return;
    for await (const slot of this.#repeated.slots()) {
      const path = await this.paths.find(slot, this.stored);
      if (this.whiteouts.deletes(path)) continue;
      this.drop(slot);
      this.changes.note("duplicates", path);
    }
  }

  protected override settle(): void {
    for (const [slot, path] of this.#marked) {
      // Without a directory below there is nothing to hide.
      const isBelow = isDirectory(this.base.files.nodeAt(path));
      if (isBelow && !this.whiteouts.isOpaque(path)) this.#opaque.add(slot);
    }
    this.#settleWhiteouts();
    this.#settleMissing();
    for (const slot of this.#late.values()) this.drop(slot);
  }

  /** Settles deletions that engines take differently. */
  #settleWhiteouts(): void {
    const { index, files, whiteouts } = this;
    const layer = { index, files, below: this.base.files, whiteouts };
    for (const { whiteout, slot } of whiteouts) {
      if (slot === undefined || index.has(slot, FLAG.dropped)) continue;
      const verdict = judgeWhiteout(layer, whiteout, slot);
      if (verdict === "kept") continue;
      if (verdict !== "dropped") this.#opaque.add(verdict.opaque);
      this.drop(slot);
      this.changes.note("whiteouts", whiteout.path);
    }
  }

  /** Decides which missing directories the layer gets an entry for. */
  #settleMissing(): void {
    const { first } = this.#newDirectories;
    if (first && !this.#options.keepMissing) {
      this.changes.note("missing-directories", first);
    }
    for (const [slot, { path }] of this.missingBelow) {
      // The entry may have come later, or the directory below is deleted.
      if (this.index.has(slot, FLAG.dropped) || this.whiteouts.deletes(path)) {
        this.missingBelow.delete(slot);
      } else if (!this.#options.keepMissing) {
        this.changes.note("missing-directories", path);
      }
    }
  }
}
