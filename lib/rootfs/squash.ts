import { binary } from "../streams/bytes.ts";
import { fromStream, type Source } from "../streams/source.ts";
import { BLOCK } from "../tar/block.ts";
import { entriesOf } from "../tar/entries.ts";
import { closing } from "../tar/header.ts";
import { ancestorLength } from "../tar/path.ts";
import type { SeekableTar } from "../tar/seeking.ts";
import { isDirectory } from "./entry_node.ts";
import { type LayerInput, readLayers, type Spool } from "./layer_stack.ts";
import { whiteoutHeader } from "./new_headers.ts";
import { FLAG, NODE } from "./path_index.ts";
import { relocate, rootHeader } from "./relocate.ts";
import type { RootfsTree } from "./rootfs_tree.ts";
import type { ScanOptions } from "./scan.ts";

const EMPTY = new Uint8Array(0);

/** What {@linkcode squashLayers} makes. */
export interface Squashed {
  /** The layers: the lower ones as they were, and one that is new. */
  layers: LayerInput[];
  /** What the user should know of, in sentences. */
  notes: readonly string[];
}

/**
 * Makes one layer of all layers from one on: the files that they have together,
 * and deletions of what they delete of the layers below. On top of those, the
 * new layer makes the same tree.
 *
 * @param inputs The layers, lowest first.
 * @param kept How many of them stay as they are.
 * @param options As those of a scan.
 * @param spool Holds layers that must be changed.
 * @param later Makes a source of the new layer, which is made when it is read.
 * @throws {InputError} As {@linkcode readLayers} does.
 */
export async function squashLayers(
  inputs: readonly LayerInput[],
  kept: number,
  options: ScanOptions,
  { spool, later }: {
    spool: Spool;
    later: (name: string, chunks: AsyncGenerator<Uint8Array>) => SeekableTar;
  },
): Promise<Squashed> {
  let lower: LowerTree | undefined;
  const { tree, source, notes = [] } = await readLayers(
    inputs.map((input, i) => ({
      ...input,
      ...(i === kept && kept > 0 && {
        onBelow(below: RootfsTree) {
          input.onBelow?.(below);
          lower = new LowerTree(below);
        },
      }),
    })),
    options,
    spool,
  );
  const merged = inputs.slice(kept).map(({ name }) => `${name}: `);
  const name = `layers ${kept + 1} to ${inputs.length}, squashed`;
  return {
    layers: [
      ...inputs.slice(0, kept),
      { source: later(name, upperLayer(tree, source, lower)), name },
    ],
    // Those about layers that stay come again when these are read.
    notes: notes.filter((note) => merged.some((name) => note.startsWith(name))),
  };
}

/** What a tree has above a lower one, or all of it, as a layer. */
async function* upperLayer(
  tree: RootfsTree,
  source: Source,
  lower: LowerTree | undefined,
): AsyncGenerator<Uint8Array> {
  const root = tree.root === lower?.root ? undefined : rootHeader(tree, "./");
  if (root) yield root;
  const start = lower?.slots
    ? startOf(tree, lower.slots)
    : { slot: 0, offset: 0 };
  if (start) {
    const stretch = source.slice(start.offset, Number.MAX_SAFE_INTEGER);
    yield* relocate(fromStream(stretch.stream()), tree, {
      prefix: "",
      // As in a layer that is written anew.
      mtime: 0,
      first: start.slot,
      parentsFirst: true,
    });
  }
  if (lower) {
    for await (const path of deletedPaths(tree, source, lower)) {
      yield whiteoutHeader(path, 0);
    }
  }
  yield closing();
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
class LowerTree {
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
  source: Source,
  lower: LowerTree,
): AsyncGenerator<Uint8Array> {
  const { index, files, links, paths } = tree;
  if (!isAnyDropped(tree, lower)) return;
  // Their own slots are dropped, but they take others' contents over.
  const heirs = new Set([...links.heirs()].map(binary));
  let slot = 0;
  for await (const { entry } of entriesOf(source.stream())) {
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
