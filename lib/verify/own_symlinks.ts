import { InputError } from "../errors/input_error.ts";
import { follow } from "../rootfs/symlinks.ts";
import type { PathHash } from "../streams/path_hash.ts";
import { type EntryTable, isDirectory, NODE } from "./entry_table.ts";

const SLASH = 0x2f;
const EMPTY = new Uint8Array(0);
/** Linux follows no more symlinks in one path. */
const MAX_HOPS = 40;

/**
 * The symlinks of one layer. Engines follow those that lead to a directory of
 * the same layer: what lies below such a symlink is in that directory.
 */
export class OwnSymlinks {
  readonly #table: EntryTable;
  readonly #hash: PathHash;
  /** Targets, by slots. */
  readonly #targets = new Map<number, Uint8Array>();

  constructor(table: EntryTable, hash: PathHash) {
    this.#table = table;
    this.#hash = hash;
  }

  /** Notes a symlink. */
  add(slot: number, target: Uint8Array): void {
    this.#targets.set(slot, target.slice());
  }

  /** Where a path leads; itself, if no engine is sure to follow. */
  led(path: Uint8Array): Uint8Array {
    let at = path;
    for (let hops = 0; hops < MAX_HOPS; hops++) {
      const above = this.#linkAbove(at);
      if (!above) return at;
      const { length, target } = above;
      try {
        const link = at.subarray(0, length);
        if (!this.#leadsOn(follow(link, target, EMPTY))) return path;
        at = follow(link, target, at.subarray(length + 1));
      } catch (error) {
        if (error instanceof InputError) return path;
        throw error;
      }
    }
    return path;
  }

  /** Whether a symlink that leads here leads to a directory, or may do. */
  #leadsOn(path: Uint8Array): boolean {
    // The root.
    if (path.length === 0) return true;
    if (this.#linkAbove(path)) return true;
    const slot = this.#find(path, path.length);
    if (slot < 0) return false;
    const node = this.#table.node(slot);
    return node === NODE.symlink || isDirectory(node);
  }

  /** The first symlink above a path. */
  #linkAbove(
    path: Uint8Array,
  ): { length: number; target: Uint8Array } | undefined {
    if (this.#targets.size === 0) return undefined;
    for (
      let length = path.indexOf(SLASH);
      length > 0;
      length = path.indexOf(SLASH, length + 1)
    ) {
      const slot = this.#find(path, length);
      if (slot < 0) return undefined;
      const target = this.#targets.get(slot);
      if (target) return { length, target };
    }
    return undefined;
  }

  #find(path: Uint8Array, length: number): number {
    this.#hash.of(path, length);
    return this.#table.find(this.#hash.low, this.#hash.high);
  }
}
