import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { ascii, startsWith } from "../streams/bytes.ts";
import type { Source } from "../streams/source.ts";
import { entriesOf } from "../tar/entries.ts";
import { ancestorLength } from "../tar/path.ts";
import { isDirectory } from "./entry_node.ts";
import type { LayerTree } from "./layer_tree.ts";
import { missingHeader } from "./new_headers.ts";
import { FLAG, NODE, type Node } from "./path_index.ts";
import { NewDirectories } from "./new_directories.ts";
import { hasOddTime } from "./odd_time.ts";
import { isOverlayWhiteout, overlayMarks } from "./overlay.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import { climbs } from "./symlinks.ts";
import type { AddedEntry, TakenEntry } from "./taken_entry.ts";
import { Tree, type TreeOptions } from "./tree.ts";
import {
  hasWhiteoutName,
  type Whiteout,
  whiteoutOf,
  Whiteouts,
} from "./whiteouts.ts";

const EMPTY = new Uint8Array(0);
const TMP = ascii("tmp/");
const PREFIX = ascii(ROOTFS);

/** How {@linkcode RootfsTree} takes its entries. */
export interface RootfsOptions extends TreeOptions {
  /**
   * What becomes of names that start with `.wh.`: they stay as files, or are
   * dropped, because they did their work in {@linkcode RootfsTree.beginLayer};
   * refused unless given.
   */
  whiteouts?: "kept" | "dropped";
}

/** A root file system: the tree of one tar, or of several layers. */
export class RootfsTree extends Tree {
  /** Whether something is in the tree's /tmp. */
  usesTmp = false;
  /** Whether it has devices that rkt cannot get past. */
  stopsRkt = false;
  /**
   * The first symlink that leads out of the archive from where it is: skopeo and
   * podman unpack no `oci-archive:` that has one.
   */
  climbing: string | undefined;
  /** The first path whose time Docker changes. */
  oddTime: string | undefined;
  /** Whether a missing directory got an entry after others that are in it. */
  hasLateDirectories = false;
  /** Size in bytes of the entries that missing directories get in rootfs/. */
  missingSize = 0;
  readonly #source: Source;
  readonly #options: RootfsOptions;
  readonly #newDirectories = new NewDirectories();
  /** Where the newest layer starts: offset in bytes, and first slot. */
  #layer = { offset: 0, slot: 0 };

  constructor(source: Source, options: RootfsOptions = {}) {
    super(source, options);
    this.#source = source;
    this.#options = options;
  }

  /**
   * Starts another layer, on top of those whose entries have been added: what
   * it deletes of them is dropped. Deletions of single files need one look-up
   * each; those of directories, all together, a pass over the lower layers'
   * headers.
   *
   * @param offset Offset of its first byte in the source.
   * @param layer Its own tree.
   */
  async beginLayer(offset: number, layer: LayerTree): Promise<void> {
    this.#layer = { offset, slot: this.index.length };
    await this.#delete([...layer.deletions()]);
  }

  async #delete(whiteouts: Whiteout[]): Promise<void> {
    const { index } = this;
    const deletions = new Whiteouts();
    for (const whiteout of whiteouts) {
      const { path, opaque } = whiteout;
      const slot = index.find(path);
      if (slot < 0) continue;
      if (isDirectory(index.node(slot))) deletions.add(whiteout, slot);
      else if (!opaque) this.drop(slot);
    }
    if (!deletions.isEmpty) await this.#dropDeleted(deletions);
  }

  /** Drops the lower layers' entries that are deleted. */
  async #dropDeleted(deletions: Whiteouts): Promise<void> {
    const { index } = this;
    let slot = 0;
    const lower = this.#source.slice(0, this.#layer.offset).stream();
    for await (const { entry } of entriesOf(lower)) {
      const own = entry.kind === "label" ? EMPTY : this.paths.of(slot, entry);
      const first = slot;
      while (index.node(slot) === NODE.missing) slot++;
      const path = first === slot ? own : this.paths.of(slot, entry);
      for (let i = first; i <= slot && i < this.#layer.slot; i++) {
        const at = path.subarray(0, ancestorLength(path, slot - i));
        if (index.has(i, FLAG.dropped)) continue;
        if (deletions.deletes(at)) this.drop(i);
      }
      slot++;
    }
  }

  protected override takeWhiteout(
    added: AddedEntry,
    given: Uint8Array,
  ): boolean {
    const { whiteouts } = this.#options;
    if (whiteouts === undefined && isOverlayWhiteout(added)) {
      // There is nothing below that it could delete.
      this.leaveOut();
      this.changes.note("overlay-whiteouts", given);
      return true;
    }
    if (whiteouts === "dropped" && whiteoutOf(given)) {
      this.leaveOut();
      return true;
    }
    if (whiteouts !== "kept" && hasWhiteoutName(given)) {
      throw new InputError(
        "Docker, podman and containerd take a name that starts with '.wh.' " +
          "for a deletion, while rkt, runc and LXD keep it as a file; rename " +
          "it, or allow it with --allow-whiteouts",
      );
    }
    return false;
  }

  protected override isLeftover(path: Uint8Array): boolean {
    return this.#options.whiteouts !== "kept" && super.isLeftover(path);
  }

  protected override onMissing(slot: number, path: Uint8Array): void {
    this.#newDirectories.add(slot, path);
    this.missingSize += missingHeader(PREFIX, path).length;
  }

  protected override onMissingTaken(slot: number, path: Uint8Array): void {
    this.#newDirectories.remove(slot);
    this.missingSize -= missingHeader(PREFIX, path).length;
    this.hasLateDirectories = true;
  }

  protected override onTaken({ added, path, node }: TakenEntry): void {
    const { entry } = added;
    if (overlayMarks(added)) this.changes.note("overlay-attributes", path);
    if (this.oddTime === undefined && hasOddTime(added)) {
      this.oddTime = shown(path);
    }
    if (startsWith(path, TMP)) this.usesTmp = true;
    if (node === NODE.hidden) this.stopsRkt = true;
    if (entry.kind === "symlink" && climbs(path, entry.link)) {
      this.climbing ??= shown(path);
    }
  }

  protected override replace(
    path: Uint8Array,
    old: number,
    node: Node,
  ): Promise<void> | undefined {
    if (old >= this.#layer.slot) return super.replace(path, old, node);
    // A layer's entry hides whatever lower layers have at its path.
    if (isDirectory(this.index.node(old)) && !isDirectory(node)) {
      return this.#delete([{ path, opaque: false }]);
    }
    this.drop(old);
    return undefined;
  }

  protected override settle(): void {
    // In a stack, each layer has settled its own.
    const { first } = this.#newDirectories;
    if (first && this.#options.whiteouts !== "dropped") {
      this.changes.note("missing-directories", first);
    }
  }
}
