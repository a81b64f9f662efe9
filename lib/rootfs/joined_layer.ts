import { InputError } from "../errors/input_error.ts";
import { BLOCK } from "../tar/block.ts";
import type { TarHeader, TarItem } from "../tar/items.ts";
import type { TarReader } from "../tar/reader.ts";
import type { Follower } from "./follower.ts";
import type { RootfsTree } from "./rootfs_tree.ts";

/**
 * Puts the entries of an image's lowest layer into the image's tree while the
 * layer itself is read, as if the layer went into the image as it is. For nearly
 * every layer that is right; if not, the entries are added in a second pass.
 */
export class JoinedLayer implements Follower {
  /** Whether the tree has all entries as they are. */
  isRight = true;
  readonly #tree: RootfsTree;
  readonly #follower: Follower | undefined;
  readonly #onPath: (path: Uint8Array) => void;

  /**
   * Prepares to read.
   *
   * @param follower Sees the items after that.
   * @param onPath Gets the path of each entry, before the follower.
   */
  constructor(
    tree: RootfsTree,
    follower: Follower | undefined,
    onPath: (path: Uint8Array) => void,
  ) {
    this.#tree = tree;
    this.#follower = follower;
    this.#onPath = onPath;
  }

  get size(): number {
    return this.#follower?.size ?? 0;
  }

  begin(buffer: Uint8Array): void {
    if (this.isRight) this.#follower?.begin?.(buffer);
  }

  take(item: TarItem, tar: TarReader): Promise<void> | undefined {
    if (!this.isRight) return undefined;
    if (item.part === "header") return this.#add(item, tar);
    return this.#follower?.take(item, tar, undefined);
  }

  flush(): void {
    if (this.isRight) this.#follower?.flush?.();
  }

  #add(item: TarHeader, tar: TarReader): Promise<void> | undefined {
    const { bytes, globals, shape } = tar;
    if (shape.concatenated || globals.size > 0) {
      this.isRight = false;
      return undefined;
    }
    const { entry } = item;
    const block = (tar.offset + item.start) / BLOCK;
    let adding;
    try {
      adding = this.#tree.add({ bytes, entry, globals, block });
    } catch (error) {
      return this.#stop(error);
    }
    return adding instanceof Promise
      ? adding.then(
        (path) => this.#follow(item, tar, path),
        (error) => this.#stop(error),
      )
      : this.#follow(item, tar, adding);
  }

  #follow(
    item: TarHeader,
    tar: TarReader,
    path: Uint8Array | undefined,
  ): Promise<void> | undefined {
    if (path) this.#onPath(path);
    return this.#follower?.take(item, tar, path);
  }

  /**
   * Leaves the tree to the second pass, which finds the error again, after all
   * that is wrong with the layer itself.
   */
  #stop(error: unknown): undefined {
    if (!(error instanceof InputError)) throw error;
    this.isRight = false;
    return undefined;
  }
}
