import { binary } from "../streams/bytes.ts";
import { fromStream, type Making } from "../streams/source.ts";
import { BLOCK } from "../tar/block.ts";
import { entriesIn } from "../tar/entries.ts";
import { closing } from "../tar/header.ts";
import { ancestorLength } from "../tar/path.ts";
import { Pieces } from "../tar/pieces.ts";
import { TarReader } from "../tar/reader.ts";
import { headerReader } from "../tar/seeking.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";
import { isDirectory } from "./entry_node.ts";
import { whiteoutHeader } from "./new_headers.ts";
import { FLAG, NODE } from "./path_index.ts";
import {
  relocatedPieces,
  relocatedSize,
  type RelocateOptions,
  rootHeader,
} from "./relocate.ts";
import type { RootfsTree } from "./rootfs_tree.ts";
import type { StackedSource } from "./stacked_source.ts";

const EMPTY = new Uint8Array(0);

/** Several layers' tree, and what of it was there before the upper ones. */
interface Layered {
  tree: RootfsTree;
  /** The layers, one after another. */
  source: StackedSource;
  /** The tree of the lower layers, if there are any. */
  lower: LowerTree | undefined;
  /** Bytes of the entries of all layers, if that is known. */
  size: number | undefined;
}

/** What a tree has above a lower one, or all of it, as a layer. */
export class UpperLayer {
  readonly #layered: Layered;
  readonly #start: { slot: number; offset: number } | undefined;

  constructor(layered: Layered) {
    this.#layered = layered;
    const { tree, lower } = layered;
    this.#start = lower?.slots
      ? startOf(tree, lower.slots)
      : { slot: 0, offset: 0 };
  }

  /** Its bytes. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const { source } = this.#layered;
    const stretch = source.slice(this.#offset, source.size);
    for await (const made of this.#made(fromStream(stretch.stream()))) {
      const bytes = made instanceof Pieces ? made.take() : made;
      if (bytes.length > 0) yield bytes;
    }
  }

  /** How two threads make it, if the layers are in files. */
  making(): Making | undefined {
    const made = (chunks: AsyncGenerator<Uint8Array>) => this.#made(chunks);
    return this.#layered.source.makingFrom(
      this.#offset,
      async function* (chunks) {
        for await (const one of made(chunks)) {
          yield one instanceof Pieces ? one.cut() : [one];
        }
      },
    );
  }

  /**
   * Its size in bytes; for that, the layers' headers may be read again.
   *
   * @returns `undefined` if all of the layers would have to be read.
   */
  async likelySize(): Promise<number | undefined> {
    const { tree, source, lower, size: known } = this.#layered;
    const { fill } = source;
    let size = this.#root.length + closing().length;
    if (!lower && known !== undefined) return size + known;
    if (!fill) return undefined;
    if (this.#start) {
      const { offset } = this.#start;
      const tar = headerReader({
        ...source.slice(offset, source.size),
        slice: (start, end) => source.slice(offset + start, offset + end),
        size: source.size - offset,
        fill: (buffer, start) => fill(buffer, offset + start),
      });
      size += await relocatedSize(tar, tree, this.#options);
    }
    for await (const header of this.#whiteouts()) size += header.length;
    return size;
  }

  /** Where in the layers its first entry is, in bytes. */
  get #offset(): number {
    return this.#start?.offset ?? this.#layered.source.size;
  }

  get #options(): RelocateOptions {
    return {
      prefix: "",
      first: this.#start?.slot,
      parentsFirst: true,
    };
  }

  /** The header blocks of the root directory, if it has an entry here. */
  get #root(): Uint8Array {
    const { tree, lower } = this.#layered;
    if (tree.root === lower?.root) return EMPTY;
    return rootHeader(tree, "./") ?? EMPTY;
  }

  /** @param chunks The layers, from the first entry on. */
  async *#made(
    chunks: AsyncGenerator<Uint8Array>,
  ): AsyncGenerator<Pieces | Uint8Array> {
    yield this.#root;
    if (this.#start) {
      const tar = new TarReader(wholeBlocks(chunks));
      yield* relocatedPieces(tar, this.#layered.tree, this.#options);
    }
    yield* this.#whiteouts();
    yield closing();
  }

  async *#whiteouts(): AsyncGenerator<Uint8Array> {
    const { tree, source, lower } = this.#layered;
    if (!lower) return;
    for await (const path of deletedPaths(tree, source, lower)) {
      yield whiteoutHeader(path);
    }
  }
}

/**
 * Where the first entry is that has a slot of its own from one on.
 *
 * @returns Its offset in bytes, and its slot or that of the first directory
 * missing above it; `undefined` if there is no such entry.
 */
function startOf(
  { index }: RootfsTree,
  first: number,
): { slot: number; offset: number } | undefined {
  for (let slot = first; slot < index.length; slot++) {
    const offset = index.offset(slot) * BLOCK;
    // An entry that is left out has no offset: nothing comes of it.
    if (index.node(slot) === NODE.missing || offset === 0) continue;
    let from = slot;
    while (from > first && index.node(from - 1) === NODE.missing) from--;
    return { slot: from, offset };
  }
  return undefined;
}

/** A tree before more layers come on top of it. */
export class LowerTree {
  /** How many slots it has. */
  readonly slots: number;
  /** Its entry for the root directory. */
  readonly root: RootfsTree["root"];
  /** A bit a slot: whether its entry is part of the tree. */
  readonly #bits: Uint8Array;

  constructor({ index, root }: RootfsTree) {
    this.slots = index.length;
    this.root = root;
    this.#bits = new Uint8Array((this.slots >>> 3) + 1);
    for (let slot = 0; slot < this.slots; slot++) {
      if (index.has(slot, FLAG.dropped)) continue;
      this.#bits[slot >>> 3]! |= 1 << (slot & 7);
    }
  }

  /** Whether the entry in a slot is part of it. */
  has(slot: number): boolean {
    return (this.#bits[slot >>> 3]! & (1 << (slot & 7))) !== 0;
  }
}

/** The paths of a lower tree that are gone; of a directory only its own. */
async function* deletedPaths(
  tree: RootfsTree,
  source: StackedSource,
  lower: LowerTree,
): AsyncGenerator<Uint8Array> {
  const { index, files, links, paths } = tree;
  if (!isAnyDropped(tree, lower)) return;
  // Their own slots are dropped, but they take others' contents over.
  const heirs = new Set([...links.heirs()].map(binary));
  let slot = 0;
  for await (const { entry } of entriesIn(source)) {
    const first = slot;
    while (index.node(slot) === NODE.missing) slot++;
    if (slot >= lower.slots) return;
    const own = entry.kind === "label" ? EMPTY : paths.of(slot, entry);
    for (let i = first; i <= slot; i++) {
      if (!lower.has(i) || !index.has(i, FLAG.dropped)) continue;
      const path = own.subarray(0, ancestorLength(own, slot - i));
      if (index.find(path) >= 0 || heirs.has(binary(path))) continue;
      const cut = path.lastIndexOf(0x2f);
      const above = path.subarray(0, Math.max(cut, 0));
      if (cut < 0 || isDirectory(files.nodeAt(above))) yield path.slice();
    }
    slot++;
  }
}

function isAnyDropped({ index }: RootfsTree, lower: LowerTree): boolean {
  for (let slot = 0; slot < lower.slots; slot++) {
    if (lower.has(slot) && index.has(slot, FLAG.dropped)) return true;
  }
  return false;
}
