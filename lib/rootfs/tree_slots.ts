import { InputError } from "../errors/input_error.ts";
import { isDirectory } from "./entry_node.ts";
import type { EntryPaths } from "./entry_paths.ts";
import { HardLinks } from "./hard_links.ts";
import { type LayerChange, LayerChanges } from "./layer_change.ts";
import type { Parents } from "./parents.ts";
import {
  FLAG,
  type IndexedEntry,
  NODE,
  type Node,
  PathIndex,
} from "./path_index.ts";
import type { TakenEntry } from "./taken_entry.ts";
import { isAufsLeftover } from "./whiteouts.ts";

/** The slots of a tree: which entries are in them, are left out or give way. */
export abstract class TreeSlots {
  readonly index = new PathIndex();
  readonly links = new HardLinks(this.index);
  /** Why the layer cannot be the input byte for byte. */
  readonly changes = new LayerChanges();
  /** Where the entries go. */
  abstract readonly paths: EntryPaths;
  /** Whether some entries are dropped or changed: sizes need a pass of their own. */
  rearranged = false;
  protected abstract readonly parents: Parents;
  /** Slots of entries that are left out in the end. */
  readonly #hidden: number[] = [];

  /** Gives an entry a slot, but leaves it out. */
  leaveOut(): void {
    this.index.addHidden();
    this.rearranged = true;
  }

  /** Adds an entry, and gives its slot. */
  protected put(taken: TakenEntry, link: number): number {
    const slot = this.index.add(taken.path, indexed(taken, link));
    this.noteTaken(taken, slot);
    return slot;
  }

  /** Notes an entry that has got a slot. */
  protected noteTaken(taken: TakenEntry, slot: number): void {
    const { given, path } = taken;
    if (given !== path) {
      this.index.mark(slot, FLAG.moved);
      this.paths.move(slot, path);
    }
    this.onTaken(taken, slot);
  }

  /** Leaves out the newest entry, if aufs left it. */
  protected hideLeftover(given: Uint8Array, path: Uint8Array): void {
    if (!this.isLeftover(given)) return;
    this.hide(this.index.length - 1, "aufs-leftovers", path);
  }

  /**
   * Makes way for an entry: drops the one that has its path, if that is
   * allowed.
   */
  protected makeWay(path: Uint8Array, node: Node): Promise<void> | undefined {
    const old = this.index.find(path);
    return old < 0 ? undefined : this.replace(path, old, node);
  }

  /** Drops the entry that has the path of another one now. */
  protected replace(
    path: Uint8Array,
    old: number,
    node: Node,
  ): Promise<void> | undefined {
    const was = this.index.node(old);
    // A directory may take a symlink's place, as it does in all engines.
    if (isDirectory(was) !== isDirectory(node) && was !== NODE.symlink) {
      throw new InputError(
        "The path is a directory and something else; remove one of the two",
      );
    }
    if (was === NODE.missing) {
      this.index.mark(old, FLAG.dropped);
      if (!this.isLeftover(path)) this.onMissingTaken(old, path);
      return undefined;
    }
    this.drop(old);
    this.changes.note("repeated-paths", path);
    return undefined;
  }

  /** Leaves an entry out in the end, once all hard links to it are known. */
  protected hide(slot: number, reason: LayerChange, path: Uint8Array): void {
    this.#hidden.push(slot);
    this.changes.note(reason, path);
  }

  /** Leaves out all that was hidden. */
  protected dropHidden(): void {
    for (const slot of this.#hidden) this.drop(slot);
  }

  /** Leaves out the entry in a slot. */
  protected drop(slot: number): void {
    this.index.mark(slot, FLAG.dropped);
    this.links.noteDropped(slot);
    this.rearranged = true;
    this.parents.forget();
  }

  /** Notes the entry that a missing directory gets late. */
  protected abstract onMissingTaken(slot: number, path: Uint8Array): void;

  /** Notes an entry that is in its slot now. */
  protected abstract onTaken(taken: TakenEntry, slot: number): void;

  /** Whether a path is what aufs left there. */
  protected isLeftover(path: Uint8Array): boolean {
    return isAufsLeftover(path);
  }
}

/** What the index has of an entry. */
export function indexed(
  { added, node }: TakenEntry,
  link: number,
): IndexedEntry {
  return { node, offset: added.block, link };
}
