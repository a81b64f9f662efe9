import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import type { FileSource } from "../read/image_files.ts";
import { hasWhiteoutName, whiteoutOf } from "../rootfs/whiteouts.ts";
import { readEntry } from "../tar/read_entry.ts";
import { BLOCK } from "../tar/block.ts";
import { normalizePath } from "../tar/path.ts";
import { readAt } from "../streams/source.ts";
import { NO_RECORDS } from "../tar/pax.ts";
import { type ByteWindow, sameBytes } from "./byte_window.ts";
import { CheckedTree } from "./checked_tree.ts";
import { extraOf, factsOf } from "./entry_facts.ts";
import {
  EntryTable,
  FLAG,
  isDirectory,
  NODE,
  type Node,
} from "./entry_table.ts";
import type { Findings } from "./finding.ts";
import type { PathHash } from "./path_hash.ts";
import { pathOf } from "./path_of.ts";
import type { Found, TakeData } from "./walk_tar.ts";

const SLASH = 0x2f;
const KINDS: Record<Node, string> = {
  [NODE.file]: "a file",
  [NODE.directory]: "a directory",
  [NODE.symlink]: "a symlink",
  [NODE.device]: "a device",
  [NODE.fifo]: "a FIFO",
  [NODE.implied]: "a directory",
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
  /** The layers above the current one. */
  readonly #upper: CheckedTree[] = [];
  /** What these delete: a `file` itself and all below, a `directory` the rest. */
  readonly #deleted = new EntryTable();
  /** What the current layer deletes of the ones below. */
  #deletes: { path: Uint8Array; node: Node }[] = [];
  #layer: CheckedTree;
  /** Slots of all upper layers: they number the files of the stack. */
  #slots = 1;
  /** Contents to be compared later: the layer's first entry for them is hidden. */
  #late: { path: Uint8Array; layer: number; rootfs: number; size: number }[] =
    [];
  #hiddenParent: { path: Uint8Array; hidden: boolean } | undefined;

  constructor(hash: PathHash, findings: Findings, rootfs?: RootfsTree) {
    this.#hash = hash;
    this.#findings = findings;
    this.#rootfs = rootfs;
    this.#layer = new CheckedTree("layer", hash, findings);
  }

  /** Starts the next layer below. */
  begin(where: string): void {
    this.#layer = new CheckedTree("layer", this.#hash, this.#findings, where);
    this.#hiddenParent = undefined;
  }

  /** Takes an entry of the layer; what it gives compares the entry's data. */
  async entry(found: Found): Promise<TakeData | undefined> {
    const layer = this.#layer;
    const path = pathOf(
      found.entry,
      (rule, message) => layer.add(rule, found.entry.path, message),
    );
    if (!path) return undefined;
    if (isWhiteoutEntry(path)) {
      const whiteout = whiteoutOf(path)!;
      const node = whiteout.opaque ? NODE.directory : NODE.file;
      this.#deletes.push({ path: whiteout.path.slice(), node });
      return undefined;
    }
    const slot = layer.take(found, path);
    if (slot < 0 || !this.#rootfs || this.#isHidden(path)) return undefined;
    layer.table.mark(slot, FLAG.visible);
    return await this.#compare(this.#rootfs, found, path, slot);
  }

  /**
   * Ends the layer.
   *
   * @param source Its bytes, if they can be read again.
   */
  async end(source: FileSource | undefined): Promise<void> {
    for (const late of this.#late) {
      if (source) await this.#compareLate(late, source);
    }
    this.#late = [];
    this.#upper.push(this.#layer);
    this.#slots += this.#layer.table.length;
    for (const { path, node } of this.#deletes) {
      this.#hash.of(path);
      const { low, high } = this.#hash;
      const old = this.#deleted.find(low, high);
      if (old >= 0 && this.#deleted.node(old) === NODE.file) continue;
      const row = { node, place: 0, data: 0, size: 0, facts: 0, extra: 0 };
      this.#deleted.add(low, high, row);
    }
    this.#deletes = [];
  }

  /**
   * Ends the stack: finds what is below rootfs/ and in no layer.
   *
   * @param isOwn Tells whether an entry belongs to a face, and not to the tree.
   */
  async finish(isOwn: (path: string) => boolean): Promise<void> {
    if (!this.#rootfs) return;
    const { tree, source } = this.#rootfs;
    const { table } = tree;
    for (let slot = 0; slot < table.length; slot++) {
      if (table.has(slot, FLAG.matched)) continue;
      const node = table.node(slot);
      if (node === NODE.implied) continue;
      const low = table.low(slot);
      const high = table.high(slot);
      // An entry that comes again has been told of.
      if (table.find(low, high) !== slot) continue;
      if (
        node === NODE.directory && this.#upper.some(({ table }) => {
          const found = table.find(low, high);
          return found >= 0 && table.node(found) === NODE.implied;
        })
      ) continue;
      const { path } = await headerAt(source, table.place(slot));
      const relative = path.subarray("rootfs/".length);
      if (relative.length === 0 || path.length <= "rootfs".length) continue;
      const text = new TextDecoder().decode(relative);
      if (isOwn(text) || hasWhiteoutName(relative)) continue;
      tree.add("tree-extra", relative, "no layer has it");
    }
  }

  /** Tells whether an upper layer hides a path of the current one. */
  #isHidden(path: Uint8Array): boolean {
    if (this.#upper.length === 0) return false;
    const hash = this.#hash;
    const cut = Math.max(path.lastIndexOf(SLASH), 0);
    const parent = path.subarray(0, cut);
    if (!sameAs(this.#hiddenParent?.path, parent)) {
      this.#hiddenParent = {
        path: parent.slice(),
        hidden: cut > 0 && this.#hidesBelow(parent),
      };
    }
    if (this.#hiddenParent!.hidden) return true;
    hash.of(path);
    const { low, high } = hash;
    const deleted = this.#deleted.find(low, high);
    if (deleted >= 0 && this.#deleted.node(deleted) === NODE.file) return true;
    const own = this.#layer.table;
    return this.#upper.some(({ table }) => {
      const slot = table.find(low, high);
      if (slot < 0) return false;
      return table.node(slot) !== NODE.implied ||
        !isDirectory(own.node(own.find(low, high)));
    });
  }

  /** Tells whether what is below a directory is hidden. */
  #hidesBelow(directory: Uint8Array): boolean {
    const hash = this.#hash;
    hash.start();
    let from = 0;
    for (let i = 0; i <= directory.length; i++) {
      if (i < directory.length && directory[i] !== SLASH) continue;
      hash.take(directory, from, i);
      from = i;
      const { low, high } = hash;
      if (this.#deleted.find(low, high) >= 0) return true;
      for (const { table } of this.#upper) {
        const slot = table.find(low, high);
        if (slot >= 0 && !isDirectory(table.node(slot))) return true;
      }
    }
    return false;
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
    if (other < 0 || two.node(other) === NODE.implied) {
      // The root of the layer needs no entry below rootfs/.
      if (path.length > 0) {
        layer.add("tree-missing", path, "it is not below rootfs/");
      }
      return undefined;
    }
    two.mark(other, FLAG.matched);
    const root = one.root(slot);
    const otherRoot = two.root(other);
    const node = one.node(root);
    const otherNode = two.node(otherRoot);
    if (node !== otherNode) {
      layer.add(
        "tree-type",
        path,
        `it is ${KINDS[node]} in the layer and ${
          KINDS[otherNode]
        } below rootfs/`,
      );
      return undefined;
    }
    if (one.facts(root) !== two.facts(otherRoot)) {
      await this.#tellFacts(rootfs, found, path, otherRoot);
    }
    if (one.extra(root) !== two.extra(otherRoot)) {
      await this.#tellExtra(rootfs, found, path, otherRoot);
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
      this.#layer.add(
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
      this.#layer.add(
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
    // That the archive is cut short is found where its entries are read.
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
    let isSame = true;
    const tell = (at: number) => {
      isSame = false;
      layer.add(
        "tree-content",
        path,
        `its bytes differ, from about byte ${at} on`,
      );
    };
    const slowly = async (piece: Uint8Array, at: number, done: number) => {
      for (let from = done; from < piece.length;) {
        const view = window.view(start + at + from, piece.length - from);
        if (!view) {
          await window.load(start + at + from);
          continue;
        }
        if (!sameBytes(piece.subarray(from, from + view.length), view)) {
          return tell(at + from);
        }
        from += view.length;
      }
    };
    return (piece, at) => {
      if (!isSame) return;
      // Mostly all of it is at hand: no promise for that.
      const view = window.view(start + at, piece.length);
      if (view?.length !== piece.length) return slowly(piece, at, 0);
      if (!sameBytes(piece, view)) tell(at);
    };
  }

  async #compareLate(
    { path, layer, rootfs, size }: {
      path: Uint8Array;
      layer: number;
      rootfs: number;
      size: number;
    },
    source: FileSource,
  ): Promise<void> {
    const compare = this.#comparer(this.#rootfs!.window, path, rootfs);
    for (let at = 0; at < size; at += 1 << 18) {
      const piece = await readAt(
        source,
        layer + at,
        Math.min(1 << 18, size - at),
      );
      await compare(piece, at);
    }
  }

  /** Says which of mode, owner, time and attributes differ. */
  async #tellFacts(
    { source, tree }: RootfsTree,
    found: Found,
    path: Uint8Array,
    other: number,
  ): Promise<void> {
    const header = await headerAt(source, tree.table.place(other));
    const one = factsOf(found.bytes, found.entry, found.globals);
    const two = factsOf(header.bytes, header.entry, NO_RECORDS);
    const differences = (["mode", "owner", "time"] as const)
      .filter((key) => one[key] !== two[key])
      .map((key) =>
        `${key} ${one[key]} in the layer and ${two[key]} below rootfs/`
      );
    if (one.attributes !== two.attributes) {
      differences.push("extended attributes that differ");
    }
    this.#layer.add(
      "tree-metadata",
      path,
      `it has ${differences.join(", ") || "other metadata"}`,
    );
  }

  async #tellExtra(
    { source, tree }: RootfsTree,
    found: Found,
    path: Uint8Array,
    other: number,
  ): Promise<void> {
    const header = await headerAt(source, tree.table.place(other));
    const one = shown(extraOf(found.bytes, found.entry));
    const two = shown(extraOf(header.bytes, header.entry));
    this.#layer.add(
      "tree-link",
      path,
      `it leads to ${one} in the layer and to ${two} below rootfs/`,
    );
  }
}

/** Reads the header blocks of an entry again. */
async function headerAt(source: FileSource, place: number) {
  for (let length = 4 * BLOCK; length <= 1 << 26; length *= 8) {
    const bytes = await readAt(source, place, length);
    const entry = readEntry(bytes, 0, []);
    if (typeof entry === "object" && "kind" in entry) {
      return { bytes, entry, path: normalizePath(entry.path) };
    }
    if (entry !== "more" || bytes.length < length) break;
  }
  throw new InputError("The input changed while it was read; try again");
}

function sameAs(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length &&
    a.every((byte, i) => byte === b[i]);
}

/** Whether a path's last part makes it a deletion. */
function isWhiteoutEntry(path: Uint8Array): boolean {
  const at = path.lastIndexOf(SLASH) + 1;
  return path[at] === 0x2e && path[at + 1] === 0x77 &&
    path[at + 2] === 0x68 && path[at + 3] === 0x2e;
}
