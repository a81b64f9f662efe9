import { ROOTFS } from "../image/rootfs_prefix.ts";
import { ascii } from "../streams/bytes.ts";
import { padded } from "../tar/block.ts";
import type { TarItem } from "../tar/items.ts";
import type { TarReader } from "../tar/reader.ts";
import { Targets } from "./new_headers.ts";
import { headerSize } from "./relocate.ts";
import type { RootfsTree } from "./rootfs_tree.ts";

/** Sees all items of a tar, after a header's entry went into the tree. */
export interface Follower {
  /** Bytes of the entries below rootfs/ that it has written or counted. */
  readonly size: number;
  /** Whether that is right so far. */
  readonly isRight: boolean;
  /** Starts with another buffer. */
  begin?(buffer: Uint8Array): void;
  /** Takes an item; a header's entry is in the tree already, at that path. */
  take(
    item: TarItem,
    tar: TarReader,
    path: Uint8Array | undefined,
  ): Promise<void> | undefined;
  /** Ends the buffer. */
  flush?(): void;
}

/** Counts the bytes of the entries below a prefix, if nothing is rearranged. */
export class Sizer implements Follower {
  #size = 0;
  readonly #tree: RootfsTree;
  readonly #targets: Targets;

  /** @param prefix What comes before every path. */
  constructor(tree: RootfsTree, prefix: string = ROOTFS) {
    this.#tree = tree;
    this.#targets = new Targets(ascii(prefix));
  }

  get size(): number {
    return this.#size + this.#tree.missingSize;
  }

  get isRight(): boolean {
    return !this.#tree.rearranged && !this.#tree.hasLateDirectories;
  }

  take(
    item: TarItem,
    tar: TarReader,
    path: Uint8Array | undefined,
  ): Promise<void> | undefined {
    if (item.part !== "header" || !path || !this.isRight) return undefined;
    const { entry } = item;
    const { paths, index } = this.#tree;
    const link = entry.kind === "hardlink"
      ? paths.linkTarget(index.length - 1, entry)
      : undefined;
    const target = this.#targets.of(entry, path, link);
    this.#size += headerSize(tar.bytes, entry, tar.globals, target) +
      padded(entry.size);
    return undefined;
  }
}
