import { startsWith } from "../streams/bytes.ts";
import type { Entry } from "../tar/entry.ts";
import type { HardLinks } from "./hard_links.ts";
import { FLAG, type PathIndex } from "./path_index.ts";
import type { StoredEntries } from "./stored_entries.ts";
import { treePath } from "./tree_path.ts";

const EMPTY = new Uint8Array(0);

/**
 * Where the entries of a tree go. The second pass over the input takes entries
 * in the order of the first, and asks by slot.
 */
export class EntryPaths {
  readonly #index: PathIndex;
  readonly #links: HardLinks;
  /** Take only what is below this directory, and as if it were the root. */
  readonly #strip: Uint8Array | undefined;
  /** Paths of entries that go elsewhere than their header says, by slot. */
  readonly #moved = new Map<number, Uint8Array>();

  constructor(index: PathIndex, links: HardLinks, strip?: Uint8Array) {
    this.#index = index;
    this.#links = links;
    this.#strip = strip;
  }

  /** Notes that the entry in a slot goes elsewhere than its header says. */
  move(slot: number, path: Uint8Array): void {
    this.#moved.set(slot, path.slice());
  }

  /**
   * A path as a header has it, in the tree.
   *
   * @returns `undefined` if it is not below the directory that is the root.
   * @throws {InputError} If it cannot be a path of the tree.
   */
  inTree(written: Uint8Array): Uint8Array | undefined {
    const path = treePath(written);
    const strip = this.#strip;
    if (!strip) return path;
    if (!startsWith(path, strip)) return undefined;
    if (path.length === strip.length) return EMPTY;
    return path[strip.length] === 0x2f
      ? path.subarray(strip.length + 1)
      : undefined;
  }

  /**
   * The path that the entry in a slot has in the tree, whether it is left out
   * or not.
   *
   * @param entry The entry as the second pass reads it.
   */
  of(slot: number, entry: Entry): Uint8Array {
    return this.#moved.get(slot) ?? this.inTree(entry.path) ?? EMPTY;
  }

  /** Where the entry in a slot goes, or `undefined` if it is left out. */
  destination(slot: number, entry: Entry): Uint8Array | undefined {
    if (this.#index.has(slot, FLAG.dropped)) return this.#links.heir(slot);
    return this.of(slot, entry);
  }

  /** The path that the hard link in a slot leads to. */
  linkTarget(slot: number, entry: Entry): Uint8Array {
    return this.#links.target(slot) ?? this.inTree(entry.link)!;
  }

  /**
   * The path of the entry in a slot, where the entry is not at hand.
   *
   * @param stored Reads it again.
   */
  async find(slot: number, stored: StoredEntries): Promise<Uint8Array> {
    const moved = this.#moved.get(slot);
    if (moved) return moved;
    const { entry } = await stored.read(slot);
    return this.of(slot, entry).slice();
  }
}
