import type { Whiteout } from "../rootfs/whiteouts.ts";
import type { CheckedTree } from "./checked_tree.ts";
import { EntryTable, isDirectory, NODE, type Node } from "./entry_table.ts";
import type { PathHash } from "../streams/path_hash.ts";

const SLASH = 0x2f;
const EMPTY = new Uint8Array(0);

/**
 * What upper layers hide of the ones below: paths that they have, that they
 * delete, or above which they have no directory.
 */
export class LayerHiding {
  readonly #hash: PathHash;
  /** The layers above the current one. */
  readonly #upper: CheckedTree[] = [];
  /** What these delete: a `file` itself and all below, a `directory` the rest. */
  readonly #deleted = new EntryTable();
  /** What the current layer deletes of the ones below. */
  #deletes: Whiteout[] = [];
  #parent: { path: Uint8Array; hidden: boolean } | undefined;

  constructor(hash: PathHash) {
    this.#hash = hash;
  }

  /** Takes a deletion of the current layer, which holds for those below. */
  delete({ path, opaque }: Whiteout): void {
    this.#deletes.push({ path: path.slice(), opaque });
  }

  /** Ends the current layer: from now on it is an upper one. */
  push(layer: CheckedTree): void {
    this.#upper.push(layer);
    this.#parent = undefined;
    for (const { path, opaque } of this.#deletes) {
      this.#hash.of(path);
      const { low, high } = this.#hash;
      const old = this.#deleted.find(low, high);
      if (old >= 0 && this.#deleted.node(old) === NODE.file) continue;
      const node = opaque ? NODE.directory : NODE.file;
      const row = { node, place: 0, data: 0, size: 0, facts: 0, extra: 0 };
      this.#deleted.add(low, high, row);
    }
    this.#deletes = [];
  }

  /** Whether a directory is one that no upper layer has an entry for. */
  isMissing(low: number, high: number): boolean {
    return this.#upper.some(({ table }) => {
      const found = table.find(low, high);
      return found >= 0 && table.node(found) === NODE.missing;
    });
  }

  /**
   * Whether an upper layer hides a path of the current one.
   *
   * @param node What the current layer has there.
   */
  isHidden(path: Uint8Array, node: Node): boolean {
    if (this.#upper.length === 0) return false;
    const hash = this.#hash;
    const cut = Math.max(path.lastIndexOf(SLASH), 0);
    const parent = path.subarray(0, cut);
    if (!isSame(this.#parent?.path, parent)) {
      const hidden = this.#hidesBelow(parent);
      this.#parent = { path: parent.slice(), hidden };
    }
    if (path.length > 0 && this.#parent!.hidden) return true;
    hash.of(path);
    const { low, high } = hash;
    const deleted = this.#deleted.find(low, high);
    if (deleted >= 0 && this.#deleted.node(deleted) === NODE.file) return true;
    return this.#upper.some(({ table }) => {
      const slot = table.find(low, high);
      if (slot < 0) return false;
      return table.node(slot) !== NODE.missing || !isDirectory(node);
    });
  }

  /** Whether what is below a directory is hidden. */
  #hidesBelow(directory: Uint8Array): boolean {
    const hash = this.#hash;
    hash.of(EMPTY);
    // The root itself may be emptied.
    if (this.#deleted.find(hash.low, hash.high) >= 0) return true;
    if (directory.length === 0) return false;
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
}

function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length &&
    a.every((byte, i) => byte === b[i]);
}
