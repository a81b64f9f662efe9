import { compareBytes, equalBytes } from "../streams/bytes.ts";
import type { FileTree } from "./file_tree.ts";
import { factsAt, fileContent, type ImageTree } from "./layer_tars.ts";
import type { FoundImage } from "./found_image.ts";
import { sortedChildren } from "./tree_facts.ts";

/** What two files at one path can differ in, each a bit of a number. */
const DIFFERENCES = [
  "type",
  "mode",
  "owner",
  "time",
  "size",
  "content",
  "target",
  "device",
  "xattrs",
] as const;

/** A path at which two trees differ. */
export interface Difference {
  /** The nodes in both trees; -1 in the tree that has no file there. */
  a: number;
  b: number;
  /** In what they differ; 0 where one has no file there. */
  bits: number;
}

/** An image to compare: what it says of its layers, and its tree. */
export interface Side {
  image: FoundImage;
  read: ImageTree;
}

/** A file of an image. */
interface SideFile extends Side {
  node: number;
}

/** How {@linkcode diffTrees} compares. */
export interface DiffOptions {
  /** Times are no difference. */
  ignoreTimes: boolean;
}

/**
 * Compares two trees, and the contents of files whose sizes are the same.
 *
 * @param onRead Gets the count of bytes that are read of contents.
 * @returns Where they differ, in the order of paths.
 */
export async function diffTrees(
  a: Side,
  b: Side,
  options: DiffOptions,
): Promise<Difference[]> {
  const [left, right] = [a.read.layered.tree, b.read.layered.tree];
  const differences: Difference[] = [];
  for (const pair of pairs(left, right)) {
    const bits = pair.a < 0 || pair.b < 0
      ? 0
      : await compare({ ...a, node: pair.a }, { ...b, node: pair.b }, options);
    if (bits > 0 || pair.a < 0 || pair.b < 0) {
      differences.push({ ...pair, bits });
    }
  }
  return differences;
}

/** The names of a difference's bits. */
export function differenceNames(bits: number): string[] {
  return DIFFERENCES.filter((_, i) => bits & (1 << i));
}

/** All paths of both trees, with the nodes of each. */
function* pairs(
  left: FileTree,
  right: FileTree,
): Generator<{ a: number; b: number }> {
  const stack = [{ a: 0, b: 0 }];
  for (let pair; (pair = stack.pop());) {
    yield pair;
    const { a, b } = pair;
    const below = merge(
      left,
      a >= 0 && left.isDirectory(a) ? sortedChildren(left, a) : [],
      right,
      b >= 0 && right.isDirectory(b) ? sortedChildren(right, b) : [],
    );
    for (const next of below.reverse()) stack.push(next);
  }
}

/** Two sorted lists of files as one, files of one name together. */
function merge(
  left: FileTree,
  a: number[],
  right: FileTree,
  b: number[],
): { a: number; b: number }[] {
  const all: { a: number; b: number }[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const order = i === a.length
      ? 1
      : j === b.length
      ? -1
      : compareBytes(left.name(a[i]!), right.name(b[j]!));
    all.push({
      a: order <= 0 ? a[i++]! : -1,
      b: order >= 0 ? b[j++]! : -1,
    });
  }
  return all;
}

async function compare(
  a: SideFile,
  b: SideFile,
  { ignoreTimes }: DiffOptions,
): Promise<number> {
  const [left, right] = [a.read.layered.tree, b.read.layered.tree];
  const [nodeA, nodeB] = [a.node, b.node];
  let bits = 0;
  const differ = (name: typeof DIFFERENCES[number]) =>
    bits |= 1 << DIFFERENCES.indexOf(name);
  const [type, other] = [kind(left, nodeA), kind(right, nodeB)];
  if (type !== other) return differ("type");
  const isMissing = [left.type(nodeA), right.type(nodeB)]
    .includes("missing-directory");
  // A directory without an entry says nothing of itself.
  if (!isMissing) {
    if (left.mode(nodeA) !== right.mode(nodeB)) differ("mode");
    const [one, two] = [left.owner(nodeA), right.owner(nodeB)];
    if (one.uid !== two.uid || one.gid !== two.gid) differ("owner");
    if (!ignoreTimes && left.mtime(nodeA) !== right.mtime(nodeB)) {
      differ("time");
    }
  }
  if (isSamePlace(a, b)) return bits;
  if (type === "symlink") {
    if (!equalBytes(left.link(nodeA)!, right.link(nodeB)!)) differ("target");
  } else if (type === "file") {
    const [one, two] = [fileSize(left, nodeA), fileSize(right, nodeB)];
    if (one !== undefined && two !== undefined && one !== two) differ("size");
    else if (one !== 0 && !await isSameContent(a, b)) {
      differ("content");
    }
  } else if (type.endsWith("device")) {
    const [one, two] = [left.device(nodeA)!, right.device(nodeB)!];
    if (one.major !== two.major || one.minor !== two.minor) differ("device");
  }
  if (!isMissing && !await hasSameXattrs(a, b)) differ("xattrs");
  return bits;
}

/** A node's type; one of several hard links is a file as any other one. */
function kind(tree: FileTree, node: number): string {
  const type = tree.type(node)!;
  if (type === "hardlink") return "file";
  return type === "missing-directory" ? "directory" : type;
}

/** A file's size, or that of the file which it is a hard link to. */
function fileSize(tree: FileTree, node: number): number | undefined {
  if (tree.type(node) !== "hardlink") return tree.size(node);
  const target = tree.target(node);
  return target === undefined ? undefined : tree.size(target);
}

/** Whether both are the same bytes of the same layer. */
function isSamePlace(a: SideFile, b: SideFile): boolean {
  const one = a.read.layered.tree.origin(a.node);
  const two = b.read.layered.tree.origin(b.node);
  const first = a.image.layers[one.layer]?.diffId;
  return first !== undefined && one.place === two.place &&
    first === b.image.layers[two.layer]?.diffId;
}

function contentOf({ read, node }: SideFile): AsyncGenerator<Uint8Array> {
  const { layer, place } = read.layered.tree.origin(node);
  return fileContent(read.tars[layer]!.tar!, place);
}

async function isSameContent(a: SideFile, b: SideFile): Promise<boolean> {
  // A loose hard link's content is that of a path, which is compared itself.
  if (isLoose(a) || isLoose(b)) return true;
  const chunks = [contentOf(a), contentOf(b)] as const;
  let rests = [new Uint8Array(0), new Uint8Array(0)] as [
    Uint8Array,
    Uint8Array,
  ];
  try {
    for (;;) {
      const ended = [false, false];
      for (const i of [0, 1] as const) {
        if (rests[i].length > 0) continue;
        const { value, done } = await chunks[i].next();
        if (done) ended[i] = true;
        else rests[i] = value;
      }
      if (ended[0] || ended[1]) return ended[0] === ended[1];
      const length = Math.min(rests[0].length, rests[1].length);
      const [one, two] = rests.map((rest) => rest.subarray(0, length));
      if (!equalBytes(one!, two!)) return false;
      rests = [rests[0].subarray(length), rests[1].subarray(length)];
    }
  } finally {
    await chunks[0].return(undefined);
    await chunks[1].return(undefined);
  }
}

function isLoose({ read: { layered: { tree } }, node }: SideFile): boolean {
  return tree.type(node) === "hardlink" && tree.target(node) === undefined;
}

async function hasSameXattrs(a: SideFile, b: SideFile): Promise<boolean> {
  const has = a.read.layered.tree.hasXattrs(a.node);
  if (has !== b.read.layered.tree.hasXattrs(b.node)) return false;
  if (!has) return true;
  const [one, two] = await Promise.all([xattrsOf(a), xattrsOf(b)]);
  return one.size === two.size && [...one].every(([name, value]) => {
    const other = two.get(name);
    return other !== undefined && equalBytes(value, other);
  });
}

async function xattrsOf({ read, node }: SideFile) {
  const { layer, place } = read.layered.tree.origin(node);
  return (await factsAt(read.tars[layer]!.tar!, place)).xattrs;
}
