import type { FileSource } from "../read/image_files.ts";
import { hasWhiteoutName, whiteoutOf } from "../rootfs/whiteouts.ts";
import type { ByteWindow } from "./byte_window.ts";
import { CheckedTree } from "./checked_tree.ts";
import { compareAgain, comparer } from "./compare_contents.ts";
import { metadataDifference, targetDifference } from "./header_differences.ts";
import {
  type EntryTable,
  FLAG,
  isDirectory,
  NODE,
  type Node,
} from "./entry_table.ts";
import type { Findings } from "./finding.ts";
import { headerAt } from "./header_at.ts";
import { LayerHiding } from "./layer_hiding.ts";
import type { PathHash } from "../streams/path_hash.ts";
import { pathOf } from "./path_of.ts";
import type { Found, TakeData } from "./walk_tar.ts";

const SLASH = 0x2f;
const KINDS: Record<Node, string> = {
  [NODE.file]: "a file",
  [NODE.directory]: "a directory",
  [NODE.symlink]: "a symlink",
  [NODE.device]: "a device",
  [NODE.fifo]: "a FIFO",
  [NODE.missing]: "a directory",
};

/** The tree below rootfs/, and where its bytes are. */
export interface RootfsTree {
  tree: CheckedTree;
  source: FileSource;
  window: ByteWindow;
}

/**
 * Checks the layers of one image, the topmost first, and compares what they make
 * with the tree below rootfs/: an entry counts unless an upper layer has its
 * path, deletes it, or has no directory above it (OCI image-spec, layer.md).
 */
export class LayerStackCheck {
  readonly #hash: PathHash;
  readonly #findings: Findings;
  readonly #rootfs: RootfsTree | undefined;
  readonly #hiding: LayerHiding;
  #layer: CheckedTree;
  /** Slots of all upper layers: they number the files of the stack. */
  #slots = 1;
  /** Contents to be compared later: the layer's first entry for them is hidden. */
  #late: { path: Uint8Array; layer: number; rootfs: number; size: number }[] =
    [];

  constructor(hash: PathHash, findings: Findings, rootfs?: RootfsTree) {
    this.#hash = hash;
    this.#findings = findings;
    this.#rootfs = rootfs;
    this.#hiding = new LayerHiding(hash);
    this.#layer = new CheckedTree("layer", hash, findings);
  }

  /** Starts the next layer below. */
  begin(where: string): void {
    this.#layer = new CheckedTree("layer", this.#hash, this.#findings, where);
  }

  /** Takes an entry of the layer; the result compares the entry's data. */
  async entry(found: Found): Promise<TakeData | undefined> {
    const layer = this.#layer;
    const given = pathOf(
      found.entry,
      (rule, message) => layer.findings.add(rule, found.entry.path, message),
    );
    if (!given) return undefined;
    if (isWhiteoutEntry(given)) {
      this.#hiding.delete(whiteoutOf(given)!);
      return undefined;
    }
    const path = layer.led(given);
    const slot = layer.take(found, path);
    if (slot < 0 || !this.#rootfs) return undefined;
    if (this.#hiding.isHidden(path, layer.table.node(slot))) return undefined;
    layer.table.mark(slot, FLAG.visible);
    return await this.#compare(this.#rootfs, found, path, slot);
  }

  /**
   * Ends the layer.
   *
   * @param source Its bytes, if they can be read again.
   */
  async end(source: FileSource | undefined): Promise<void> {
    for (const { path, layer, rootfs, size } of this.#late) {
      if (!source) continue;
      const compare = this.#comparer(this.#rootfs!.window, path, rootfs);
      await compareAgain(source, layer, size, compare);
    }
    this.#late = [];
    this.#hiding.push(this.#layer);
    this.#slots += this.#layer.table.length;
  }

  /**
   * Ends the stack: finds what is below rootfs/ and in no layer.
   *
   * @param isOwn Whether an entry belongs to a face, and not to the tree.
   */
  async finish(isOwn: (path: string) => boolean): Promise<void> {
    if (!this.#rootfs) return;
    const { tree, source } = this.#rootfs;
    const { table } = tree;
    for (let slot = 0; slot < table.length; slot++) {
      if (table.has(slot, FLAG.matched)) continue;
      const node = table.node(slot);
      if (node === NODE.missing) continue;
      const low = table.low(slot);
      const high = table.high(slot);
      // An entry that comes twice has its finding already.
      if (table.find(low, high) !== slot) continue;
      if (
        node === NODE.directory && this.#hiding.isMissing(low, high)
      ) continue;
      const { path } = await headerAt(source, table.place(slot));
      const relative = path.subarray("rootfs/".length);
      if (relative.length === 0 || path.length <= "rootfs".length) continue;
      const text = new TextDecoder().decode(relative);
      if (isOwn(text) || hasWhiteoutName(relative)) continue;
      tree.findings.add("tree-extra", relative, "no layer has it");
    }
  }

  /** Compares an entry with its counterpart below rootfs/. */
  async #compare(
    rootfs: RootfsTree,
    found: Found,
    path: Uint8Array,
    slot: number,
  ): Promise<TakeData | undefined> {
    const layer = this.#layer;
    const one = layer.table;
    const two = rootfs.tree.table;
    const other = rootfs.tree.find(path);
    if (other < 0 || two.node(other) === NODE.missing) {
      // The root of the layer needs no entry below rootfs/.
      if (path.length > 0) {
        layer.findings.add("tree-missing", path, "it is not below rootfs/");
      }
      return undefined;
    }
    two.mark(other, FLAG.matched);
    const root = one.root(slot);
    const otherRoot = two.root(other);
    const node = one.node(root);
    const otherNode = two.node(otherRoot);
    if (node !== otherNode) {
      layer.findings.add(
        "tree-type",
        path,
        `it is ${KINDS[node]} in the layer and ${
          KINDS[otherNode]
        } below rootfs/`,
      );
      return undefined;
    }
    if (one.facts(root) !== two.facts(otherRoot)) {
      const other = await headerAt(rootfs.source, two.place(otherRoot));
      layer.findings.add(
        "tree-metadata",
        path,
        metadataDifference(found, other),
      );
    }
    if (one.extra(root) !== two.extra(otherRoot)) {
      const other = await headerAt(rootfs.source, two.place(otherRoot));
      layer.findings.add("tree-link", path, targetDifference(found, other));
    }
    if (isDirectory(node) || node === NODE.symlink) return undefined;
    this.#comparePeers(path, root, otherRoot, two);
    if (node !== NODE.file) return undefined;
    return this.#contents(rootfs, path, slot, otherRoot);
  }

  /** Checks that paths that are one file here are one file there. */
  #comparePeers(
    path: Uint8Array,
    root: number,
    otherRoot: number,
    two: EntryTable,
  ): void {
    const one = this.#layer.table;
    const number = this.#slots + root;
    const peer = one.peer(root);
    const otherPeer = two.peer(otherRoot);
    if (peer === 0 && otherPeer === 0) {
      one.setPeer(root, otherRoot + 1);
      two.setPeer(otherRoot, number);
    } else if (peer !== otherRoot + 1 || otherPeer !== number) {
      this.#layer.findings.add(
        "tree-link",
        path,
        "it is a hard link to another file in the layer than below rootfs/",
      );
    }
  }

  #contents(
    rootfs: RootfsTree,
    path: Uint8Array,
    slot: number,
    otherRoot: number,
  ): TakeData | undefined {
    const one = this.#layer.table;
    const two = rootfs.tree.table;
    const root = one.root(slot);
    const size = one.size(root);
    const otherSize = two.size(otherRoot);
    if (size !== otherSize) {
      this.#layer.findings.add(
        "tree-content",
        path,
        `it has ${size} bytes in the layer and ${otherSize} below rootfs/`,
      );
      return undefined;
    }
    if (
      size === 0 || one.has(root, FLAG.sparse) ||
      two.has(otherRoot, FLAG.sparse)
    ) return undefined;
    const start = two.data(otherRoot);
    // The reader of its entries finds a cut archive.
    if (!rootfs.window.reaches(start + size)) return undefined;
    if (root !== slot) {
      // Its data have been compared, unless their own path is hidden.
      if (!one.has(root, FLAG.visible)) {
        const layer = one.data(root);
        this.#late.push({ path: path.slice(), layer, rootfs: start, size });
      }
      return undefined;
    }
    return this.#comparer(rootfs.window, path.slice(), start);
  }

  /** Compares data as they pass with those below rootfs/. */
  #comparer(window: ByteWindow, path: Uint8Array, start: number): TakeData {
    const layer = this.#layer;
    return comparer(
      window,
      start,
      (at) =>
        layer.findings.add(
          "tree-content",
          path,
          `its bytes differ, from about byte ${at} on`,
        ),
    );
  }
}

/** Whether a path's last component makes it a deletion. */
function isWhiteoutEntry(path: Uint8Array): boolean {
  const at = path.lastIndexOf(SLASH) + 1;
  return path[at] === 0x2e && path[at + 1] === 0x77 &&
    path[at + 2] === 0x68 && path[at + 3] === 0x2e;
}
