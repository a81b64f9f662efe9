import type { FileTree, NodeType } from "./file_tree.ts";

/** A path with the bytes that it stands for. */
export interface Sized {
  node: number;
  bytes: number;
  /** Files in it; 1 for a file. */
  files: number;
}

/** What a tree of files comes to. */
export interface TreeFacts {
  /** How many there are of each type, the root left out. */
  types: Partial<Record<NodeType, number>>;
  /** Bytes of all files, hard links counted once. */
  bytes: number;
  /** The largest files and directories, with all that is in them. */
  largestFiles: Sized[];
  largestDirectories: Sized[];
}

/** How many of the largest are named. */
const LARGEST = 10;

/** Bytes and files at and below each node. */
export interface Totals {
  bytes: Float64Array;
  files: Uint32Array;
}

/** Adds up what is at and below each node. */
export function treeTotals(tree: FileTree): Totals {
  const bytes = new Float64Array(tree.length);
  const files = new Uint32Array(tree.length);
  // Parents have smaller numbers than what is in them.
  for (let node = tree.length - 1; node > 0; node--) {
    const type = tree.type(node);
    if (type === undefined) continue;
    if (type === "file") bytes[node]! += tree.size(node);
    if (!tree.isDirectory(node)) files[node]!++;
    const parent = tree.parent(node);
    bytes[parent]! += bytes[node]!;
    files[parent]! += files[node]!;
  }
  return { bytes, files };
}

/** Counts a tree's files and finds the largest ones. */
export function treeFacts(tree: FileTree): TreeFacts {
  const { bytes, files } = treeTotals(tree);
  const types: TreeFacts["types"] = {};
  const largestFiles: Sized[] = [];
  const largestDirectories: Sized[] = [];
  for (let node = 1; node < tree.length; node++) {
    const type = tree.type(node);
    if (type === undefined) continue;
    types[type] = (types[type] ?? 0) + 1;
    const list = type === "file"
      ? largestFiles
      : tree.isDirectory(node)
      ? largestDirectories
      : undefined;
    if (list && bytes[node]! > 0) {
      keep(list, { node, bytes: bytes[node]!, files: files[node]! });
    }
  }
  return { types, bytes: bytes[0]!, largestFiles, largestDirectories };
}

/** Puts an item in a list of the largest, which is sorted. */
function keep(list: Sized[], item: Sized): void {
  if (list.length === LARGEST && item.bytes <= list.at(-1)!.bytes) return;
  const at = list.findIndex(({ bytes }) => bytes < item.bytes);
  list.splice(at < 0 ? list.length : at, 0, item);
  if (list.length > LARGEST) list.pop();
}

/**
 * A directory's nodes and all below, in the order of their names' bytes, each
 * directory before what is in it.
 */
export function* sortedNodes(
  tree: FileTree,
  from: number,
): Generator<number> {
  const stack = sortedChildren(tree, from).reverse();
  for (let node; (node = stack.pop()) !== undefined;) {
    yield node;
    if (tree.isDirectory(node)) {
      for (const child of sortedChildren(tree, node).reverse()) {
        stack.push(child);
      }
    }
  }
}

/** The files in a directory, in the order of their names' bytes. */
export function sortedChildren(tree: FileTree, node: number): number[] {
  return [...tree.children(node)].map((child) => ({
    child,
    name: tree.name(child),
  })).sort((a, b) => compareBytes(a.name, b.name)).map(({ child }) => child);
}

/** The order of two names: that of their bytes. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}
