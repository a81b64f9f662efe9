import { ROOTFS } from "../image/rootfs_prefix.ts";
import type { Sink } from "../streams/sink.ts";
import { Pieces } from "../tar/pieces.ts";
import type { TarItem } from "../tar/items.ts";
import type { TarReader } from "../tar/reader.ts";
import type { Follower } from "./follower.ts";
import { Relocator } from "./relocate.ts";
import type { RootfsTree } from "./rootfs_tree.ts";

/**
 * Writes the entries below rootfs/ while the rootfs is being read, from the same
 * buffers, as if each of them stayed where it is. For nearly every rootfs that
 * is right. Once something shows that it is not, such as a path that comes
 * again, it stops: then a second pass writes them.
 */
export class EarlyRootfs implements Follower {
  /** How many bytes have been written. */
  size = 0;
  readonly #sink: Sink;
  /** Offset in the sink of the first entry. */
  readonly start: number;
  readonly #tree: RootfsTree;
  readonly #relocator: Relocator;
  #pieces = new Pieces(new Uint8Array(0));
  #stopped = false;

  /**
   * Writes nothing yet.
   *
   * @param start Offset in the sink of the first entry.
   */
  constructor(sink: Sink, start: number, tree: RootfsTree) {
    this.#sink = sink;
    this.start = start;
    this.#tree = tree;
    this.#relocator = new Relocator(tree, {
      prefix: ROOTFS,
      plainSymlinks: true,
    });
  }

  /** Whether what has been written is right so far. */
  get isRight(): boolean {
    const { changes, rearranged, hasLateDirectories } = this.#tree;
    this.#stopped ||= rearranged || hasLateDirectories ||
      changes.reasons.size > 0;
    return !this.#stopped;
  }

  /** Stops: what has been written is not right. */
  stop(): void {
    this.#stopped = true;
  }

  /** Starts with another buffer. */
  begin(buffer: Uint8Array): void {
    this.#pieces = new Pieces(buffer);
  }

  /** Takes an item; a header's entry is in the tree already. */
  take(
    item: TarItem,
    tar: TarReader,
    path: Uint8Array | undefined,
  ): Promise<void> | undefined {
    if (this.#stopped) return undefined;
    if (item.part === "header") {
      if (!this.isRight) return undefined;
      return this.#relocator.header(item.entry, tar, this.#pieces, path);
    }
    if (item.part === "data") {
      this.#relocator.data(item, tar.bytes, this.#pieces);
    }
    return undefined;
  }

  /** Writes what the buffer became. */
  flush(): void {
    if (this.#stopped) return;
    for (const piece of this.#pieces.list()) {
      this.#sink.write(piece, this.start + this.size);
      this.size += piece.length;
    }
  }
}
