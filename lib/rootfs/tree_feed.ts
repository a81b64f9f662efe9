import { BLOCK, padded } from "../tar/block.ts";
import type { TarHeader } from "../tar/items.ts";
import type { TarReader } from "../tar/reader.ts";
import type { Follower } from "./follower.ts";
import type { Tree } from "./tree.ts";

/** What {@linkcode TreeFeed} may get. */
export interface FeedOptions {
  /** Offset of the tar in the tree's source, in bytes. */
  start?: number;
  /** Sees all items, headers after their entries went into the tree. */
  follower?: Follower | undefined;
  /** Whether the tree takes an entry; all of them unless given. */
  takes?: (header: TarHeader) => boolean;
}

/** Puts the entries of a tar into a tree. */
export class TreeFeed {
  readonly #tree: Tree;
  readonly #tar: TarReader;
  readonly #start: number;
  readonly #follower: Follower | undefined;
  readonly #takes: ((header: TarHeader) => boolean) | undefined;
  /** Where the buffer is in the tree's source, in blocks. */
  #block = 0;
  /** Where the last entry ends that was taken: offset of its buffer, and in there. */
  #last = 0;
  #end = 0;

  constructor(tree: Tree, tar: TarReader, options: FeedOptions = {}) {
    this.#tree = tree;
    this.#tar = tar;
    this.#start = options.start ?? 0;
    this.#follower = options.follower;
    this.#takes = options.takes;
  }

  /** Where in the tar the last entry ends that was taken, in bytes. */
  get end(): number {
    return this.#last + this.#end;
  }

  /** Reads the tar to its end. */
  async run(): Promise<void> {
    const follower = this.#follower;
    for await (const bytes of this.#tar.buffers()) {
      this.#block = (this.#start + this.#tar.offset) / BLOCK;
      follower?.begin?.(bytes);
      for (let waiting; (waiting = this.#next());) await waiting;
      follower?.flush?.();
    }
  }

  /**
   * Takes the buffer's items up to one that has to wait for something: few have to,
   * and a promise costs more than all the rest.
   *
   * @returns Nothing, if all items have been taken.
   */
  #next(): Promise<void> | undefined {
    const tar = this.#tar;
    for (let item; (item = tar.next());) {
      const waiting = item.part === "header"
        ? this.#header(item)
        : this.#follower?.take(item, tar, undefined);
      if (waiting) return waiting;
    }
    return undefined;
  }

  #header(item: TarHeader): Promise<void> | undefined {
    const tar = this.#tar;
    const follower = this.#follower;
    if (this.#takes && !this.#takes(item)) {
      return follower?.take(item, tar, undefined);
    }
    const { entry } = item;
    this.#last = tar.offset;
    this.#end = item.end + padded(entry.stored);
    const { bytes, globals } = tar;
    // Bytes of a large input are more than small whole numbers, which are quick.
    const block = this.#block + item.start / BLOCK;
    const path = this.#tree.add({ bytes, entry, globals, block });
    return path instanceof Promise
      ? path.then((path) => follower?.take(item, tar, path))
      : follower?.take(item, tar, path);
  }
}
