import { FIELD, numberField } from "../tar/block.ts";
import type { HardLinks } from "./hard_links.ts";
import { NODE, type Node, type PathIndex } from "./path_index.ts";
import type { StoredEntries } from "./stored_entries.ts";
import { follow } from "./symlinks.ts";
import { treePath } from "./tree_path.ts";

/** Symlinks followed for one path before it counts as a loop, as Linux does. */
export const MAX_LINKS = 40;

const EMPTY = new Uint8Array(0);

/** What {@linkcode TreeFiles} looks into. */
export interface TreeContents {
  index: PathIndex;
  links: HardLinks;
  stored: StoredEntries;
}

/**
 * Where a path leads by the symlinks of a tree below, once the tree itself has
 * nothing at its first `from` bytes.
 */
export type LinkBelow = (
  path: Uint8Array,
  from: number,
) => Promise<Uint8Array | undefined>;

/** The files of a tree, looked up by path as a container does. */
export class TreeFiles {
  readonly #tree: TreeContents;
  readonly #linkBelow: LinkBelow;

  constructor(tree: TreeContents, linkBelow: LinkBelow) {
    this.#tree = tree;
    this.#linkBelow = linkBelow;
  }

  /** What is at a path, or `undefined` if nothing is. */
  nodeAt(path: Uint8Array): Node | undefined {
    const { index } = this.#tree;
    const slot = index.find(path);
    return slot < 0 ? undefined : index.node(slot);
  }

  /** The target of the symlink at a path, or `undefined` if there is none. */
  async linkAt(path: Uint8Array): Promise<Uint8Array | undefined> {
    const { index } = this.#tree;
    const slot = index.find(path);
    if (slot >= 0 && index.node(slot) === NODE.symlink) {
      return await this.readLink(slot);
    }
    return undefined;
  }

  /** The target of the symlink in a slot. */
  async readLink(slot: number): Promise<Uint8Array> {
    const { links, stored } = this.#tree;
    const { entry } = await stored.read(slot);
    // A hard link to a symlink is one as well: its own header has no target.
    if (entry.kind !== "hardlink") return entry.link;
    return await this.readLink(links.rootOf(slot));
  }

  /** Follows symlinks above a path, not at its end; empty if that fails. */
  async resolve(wanted: Uint8Array): Promise<Uint8Array> {
    const { index } = this.#tree;
    let path = wanted;
    for (let hops = 0; hops <= MAX_LINKS; hops++) {
      const obstacle = index.obstacle(path);
      if (!obstacle) return path;
      if (obstacle.slot < 0) {
        const below = await this.#linkBelow(path, obstacle.length);
        if (!below) return EMPTY;
        path = below;
        continue;
      }
      if (index.node(obstacle.slot) !== NODE.symlink) return EMPTY;
      path = follow(
        path.subarray(0, obstacle.length),
        await this.readLink(obstacle.slot),
        path.subarray(obstacle.length + 1),
      );
    }
    return EMPTY;
  }

  /**
   * The slot that a path leads to, all symlinks followed, or -1.
   *
   * @param path A path in the tree, such as `/bin/sh`.
   * @throws {InputError} If it climbs with `..`, or is too long.
   */
  async lookUp(path: Uint8Array): Promise<number> {
    const { index } = this.#tree;
    let wanted = treePath(path);
    for (let hops = 0; hops <= MAX_LINKS; hops++) {
      wanted = await this.resolve(wanted);
      const slot = wanted.length === 0 ? -1 : index.find(wanted);
      if (slot < 0 || index.node(slot) !== NODE.symlink) return slot;
      wanted = follow(wanted, await this.readLink(slot), EMPTY);
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
  async read(
    path: Uint8Array,
    limit: number,
  ): Promise<{ mode: number; bytes: Uint8Array } | undefined> {
    const { index, links, stored } = this.#tree;
    const slot = await this.lookUp(path);
    if (slot < 0 || index.node(slot) !== NODE.file) return undefined;
    const root = links.rootOf(slot);
    const { bytes, entry } = await stored.read(root);
    return {
      mode: numberField(bytes, FIELD.mode, entry.header)! & 0o7777,
      bytes: await stored.readFile(root, limit),
    };
  }
}
