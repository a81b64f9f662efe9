import { compareBytes } from "../streams/bytes.ts";
import type { FileTree, NodeType } from "./file_tree.ts";

/** A path with the bytes that it takes. */
export interface Sized {
  node: number;
  bytes: number;
  /** Files in it; 1 for a file. */
  files: number;
}

/** The counts and sizes of a tree of files. */
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

/**
 * Bytes and files at and below each node of a tree. It holds only those of
 * directories, since a tree has many more files.
 */
export class TreeTotals {
  readonly #tree: FileTree;
  /** The directories' nodes, in order. */
  readonly #directories: Uint32Array;
  readonly #bytes: Float64Array;
  readonly #files: Uint32Array;

  constructor(tree: FileTree) {
    this.#tree = tree;
    let count = 0;
    for (let node = 0; node < tree.length; node++) {
      if (tree.isDirectory(node)) count++;
    }
    this.#directories = new Uint32Array(count);
    this.#bytes = new Float64Array(count);
    this.#files = new Uint32Array(count);
    for (let node = 0, i = 0; node < tree.length; node++) {
      if (tree.isDirectory(node)) this.#directories[i++] = node;
    }
    // Parents have smaller numbers than what is in them.
    for (let node = tree.length - 1; node > 0; node--) {
      if (tree.type(node) === undefined) continue;
      const at = this.#place(tree.parent(node));
      this.#bytes[at]! += this.bytes(node);
      this.#files[at]! += this.files(node);
    }
  }

  /** Bytes of the files at and below a node, hard links counted once. */
  bytes(node: number): number {
    if (this.#tree.isDirectory(node)) return this.#bytes[this.#place(node)]!;
    return this.#tree.type(node) === "file" ? this.#tree.size(node) : 0;
  }

  /** How many files, of all types but directories, are at and below a node. */
  files(node: number): number {
    return this.#tree.isDirectory(node) ? this.#files[this.#place(node)]! : 1;
  }

  /** Where a directory is among all directories. */
  #place(node: number): number {
    let low = 0;
    let high = this.#directories.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#directories[middle]! < node) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Counts a tree's files and finds the largest ones. */
export function treeFacts(tree: FileTree): TreeFacts {
  const totals = new TreeTotals(tree);
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
    const bytes = list ? totals.bytes(node) : 0;
    if (list && bytes > 0) {
      keep(list, { node, bytes, files: totals.files(node) });
    }
  }
  return {
    types,
    bytes: totals.bytes(0),
    largestFiles,
    largestDirectories,
  };
}

/** Puts a path in a sorted list of the largest ones. */
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
