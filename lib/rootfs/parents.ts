import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { startsWith } from "../streams/bytes.ts";
import type { Entry } from "../tar/entry.ts";
import { joinPath } from "../tar/path.ts";
import { LastDirectory } from "./last_directory.ts";
import { NODE, type PathIndex } from "./path_index.ts";
import { follow } from "./symlinks.ts";
import { type LinkBelow, MAX_LINKS, type TreeFiles } from "./tree_files.ts";

/**
 * How many missing directories a tree may have: each costs memory and an entry
 * of output.
 */
const MAX_MISSING = 1 << 18;

const EMPTY = new Uint8Array(0);

/** What {@linkcode Parents} works on. */
export interface ParentsTree {
  index: PathIndex;
  files: TreeFiles;
  linkBelow: LinkBelow;
  /** Gets each missing directory that was added: its slot and path. */
  onMissing: (slot: number, path: Uint8Array) => void | Promise<void>;
  /** Gets an entry that engines put beside a symlink, not where it leads. */
  onMoved: (entry: Entry) => void;
}

/**
 * The directories that entries go to: symlinks above them followed, missing
 * directories added to the index.
 */
export class Parents {
  readonly #tree: ParentsTree;
  #missing = 0;
  /** The last directory that an entry went to: many follow in the same one. */
  #lastFrom: Uint8Array = EMPTY;
  #lastTo: Uint8Array = EMPTY;
  /** The same, as a header writes it, if all is well with it. */
  readonly #last = new LastDirectory();

  constructor(tree: ParentsTree) {
    this.#tree = tree;
  }

  /** Forgets the last directory: what it led to may have changed. */
  forget(): void {
    this.#setLast(EMPTY, EMPTY);
  }

  #setLast(from: Uint8Array, to: Uint8Array): void {
    this.#lastFrom = from;
    this.#lastTo = to;
    this.#last.forget();
  }

  /** Forgets the last directory if it is at a path or below it. */
  forgetBelow(path: Uint8Array): void {
    if (startsWith(this.#lastFrom, path)) this.forget();
  }

  /**
   * Notes that an entry was taken at the path of its header, after
   * {@linkcode settle}: others in its directory are quick to settle.
   *
   * @param written The path as the header has it.
   * @param path The same, normalized.
   */
  note(written: Uint8Array, path: Uint8Array): void {
    const cut = path.lastIndexOf(0x2f);
    // One that had to be written anew is no view.
    if (cut <= 0 || path.buffer !== written.buffer) return;
    const skipped = path.byteOffset - written.byteOffset;
    if (this.#last.keep(written, skipped + cut, skipped)) {
      this.#tree.index.enter(path, cut);
    }
  }

  /**
   * The path an entry goes to, if it is in the directory of the last one that was
   * noted, and its name means nothing but a name.
   *
   * @param written Its path as the header has it.
   */
  near(written: Uint8Array): Uint8Array | undefined {
    return this.#last.pathOf(written);
  }

  /**
   * The path an entry goes to, symlinks above it followed; adds its parents.
   * Most entries are in the last one's directory.
   *
   * @param given Its path as the header has it, normalized.
   * @throws {InputError} If something that is no directory is above it.
   */
  settle(
    given: Uint8Array,
    entry: Entry,
  ): Uint8Array | Promise<Uint8Array> {
    const cut = given.lastIndexOf(0x2f);
    if (cut < 0) return given;
    if (cut !== this.#lastFrom.length || !startsWith(given, this.#lastFrom)) {
      const parent = given.slice(0, cut);
      if (this.#tree.index.obstacle(given)) {
        return this.#settleAnew(given, parent, entry);
      }
      this.#setLast(parent, parent);
    }
    return this.#lastFrom === this.#lastTo
      ? given
      : joinPath(this.#lastTo, given.subarray(cut + 1));
  }

  async #settleAnew(
    given: Uint8Array,
    parent: Uint8Array,
    entry: Entry,
  ): Promise<Uint8Array> {
    const { index, linkBelow, onMoved } = this.#tree;
    let path = given;
    for (let hops = 0;; hops++) {
      const obstacle = index.obstacle(path);
      if (!obstacle) break;
      let next: Uint8Array | undefined;
      if (obstacle.slot >= 0) next = await this.#follow(path, obstacle, hops);
      else {
        next = await linkBelow(path, obstacle.length);
        // Docker hides the symlink by a new directory.
        if (next || path !== given) onMoved(entry);
        if (next && hops >= MAX_LINKS) {
          throw new InputError("Symlinks above it loop; remove them");
        }
      }
      if (!next) {
        await this.#addMissing(path, obstacle.length);
        break;
      }
      path = next;
      if (path.length === 0) {
        throw new InputError(
          "Symlinks above it make it the root directory; remove it",
        );
      }
    }
    const to = path.lastIndexOf(0x2f);
    this.#setLast(
      parent,
      path === given ? parent : path.slice(0, to < 0 ? 0 : to),
    );
    return path;
  }

  /** Where a path leads by the symlink of the tree that is above it. */
  async #follow(
    path: Uint8Array,
    obstacle: { slot: number; length: number },
    hops: number,
  ): Promise<Uint8Array> {
    const { index, files } = this.#tree;
    const above = path.subarray(0, obstacle.length);
    if (index.node(obstacle.slot) !== NODE.symlink) {
      throw new InputError(
        `${
          shown(above)
        } is above it and is no directory; remove one of the two`,
      );
    }
    if (hops >= MAX_LINKS) {
      throw new InputError(
        `It is below the symlink ${shown(above)}, which leads nowhere; ` +
          "remove one of the two",
      );
    }
    const target = await files.readLink(obstacle.slot);
    return follow(above, target, path.subarray(obstacle.length + 1));
  }

  /** Adds the missing directories above a path, outermost first. */
  async #addMissing(path: Uint8Array, from: number): Promise<void> {
    const { index, onMissing } = this.#tree;
    const entry = { node: NODE.missing, offset: 0, link: 0 };
    for (let i = from; i < path.length; i++) {
      if (path[i] !== 0x2f) continue;
      if (++this.#missing > MAX_MISSING) {
        throw new InputError(
          `More than ${MAX_MISSING} directories have no entry of their own; ` +
            "archive the tree anew with tar",
        );
      }
      const slot = index.add(path, entry, i);
      await onMissing(slot, path.subarray(0, i));
    }
  }
}
