import { InputError } from "../errors/input_error.ts";
import { Column } from "./columns.ts";
import { NameTree } from "./name_tree.ts";
import type { EntryFacts, FileType } from "../tar/entry_facts.ts";

/** What a node of a {@linkcode FileTree} is. */
export type NodeType =
  | FileType
  /** A missing directory: it has no entry of its own. */
  | "missing-directory"
  /** A deletion, in the tree of one layer alone. */
  | "whiteout";

/**
 * The types, each at the number that a node has for it; 0 is no file (any
 * more).
 */
const TYPES: readonly (NodeType | undefined)[] = [
  undefined,
  "file",
  "directory",
  "symlink",
  "hardlink",
  "character-device",
  "block-device",
  "fifo",
  "missing-directory",
  "whiteout",
];
const NUMBERS = new Map(TYPES.map((type, i) => [type, i]));
/** The number of a hard link whose target is not in its layer. */
const LOOSE = TYPES.length;

function typeAt(number: number): NodeType | undefined {
  return number === LOOSE ? "hardlink" : TYPES[number];
}

/** The bit of a node's facts for a file that hard links lead to. */
const LINKED = 1 << 30;

/** An image has no more owners, layers or paths than this. */
const MAX_OWNERS = 1 << 16;
const MAX_LAYERS = 1 << 16;

/** Where a node's entry is. */
export interface NodePlace {
  /** The layer, counted from 0. */
  layer: number;
  /** Offset of the entry's first header block in the layer's tar, in bytes. */
  place: number;
}

/** A tree of files in about 60 bytes a file, its name among them. */
export class FileTree extends NameTree {
  /** Blocks of 512 bytes. */
  readonly #places = new Column();
  /**
   * Of symlinks and loose hard links where in the pool the target is; of other
   * hard links the target's node; of devices their number.
   */
  readonly #sizes = new Column();
  /** Mode in 12 bits, type in 4, then 14 more of the size, linked, xattrs. */
  readonly #facts = new Column();
  /** Layer in 16 bits, owner in 16. */
  readonly #origins = new Column();
  readonly #times = new Column();
  /** Times before 1970 and after 2106, which the column has no room for. */
  readonly #oddTimes = new Map<number, number>();
  readonly #owners: { uid: number; gid: number }[] = [];
  readonly #ownerNumbers = new Map<string, number>();

  constructor() {
    super();
    this.#origins.set(0, this.#ownerOf(0, 0));
    this.#facts.set(0, 0o755 | (NUMBERS.get("missing-directory")! << 12));
  }

  /**
   * The node of a path, symlinks not followed, or -1.
   *
   * @param path A normalized path.
   */
  find(path: Uint8Array): number {
    let node = 0;
    let from = 0;
    for (let i = 0; i <= path.length && node >= 0; i++) {
      if (i < path.length && path[i] !== 0x2f) continue;
      if (i > from) node = this.child(node, path, from, i);
      if (node >= 0 && this.type(node) === undefined) return -1;
      from = i + 1;
    }
    return node;
  }

  /** What the node is, or `undefined` if it is no file (any more). */
  type(node: number): NodeType | undefined {
    return typeAt((this.#facts.get(node) >>> 12) & 15);
  }

  /** Whether the node is a directory, with an entry of its own or not. */
  isDirectory(node: number): boolean {
    const type = this.type(node);
    return type === "directory" || type === "missing-directory";
  }

  /** The files in a directory, the newest node first. */
  *children(node: number): Generator<number> {
    for (const child of this.nodesIn(node)) {
      if (this.type(child) !== undefined) yield child;
    }
  }

  mode(node: number): number {
    return this.#facts.get(node) & 0o7777;
  }

  /** Whether it has extended attributes. */
  hasXattrs(node: number): boolean {
    return this.#facts.get(node) >>> 31 === 1;
  }

  /** Whether hard links lead to it. */
  isLinked(node: number): boolean {
    return (this.#facts.get(node) & LINKED) !== 0;
  }

  owner(node: number): { uid: number; gid: number } {
    return this.#owners[this.#origins.get(node) & 0xffff]!;
  }

  /** Seconds since 1970. */
  mtime(node: number): number {
    return this.#oddTimes.get(node) ?? this.#times.get(node);
  }

  /** Size in bytes; of a symlink that of its target, of all others 0. */
  size(node: number): number {
    const type = this.type(node);
    if (type === "symlink") return this.link(node)!.length;
    return type === "file" ? this.#wide(node) : 0;
  }

  /** A symlink's target as it is written, a hard link's path, or `undefined`. */
  link(node: number): Uint8Array | undefined {
    const target = this.target(node);
    if (target !== undefined) return this.path(target);
    const type = this.type(node);
    return type === "symlink" || type === "hardlink"
      ? this.pool.get(this.#sizes.get(node))
      : undefined;
  }

  /** The node that a hard link leads to, where that is in its layer. */
  target(node: number): number | undefined {
    const number = (this.#facts.get(node) >>> 12) & 15;
    return number === NUMBERS.get("hardlink")
      ? this.#sizes.get(node)
      : undefined;
  }

  /** A device's number, or `undefined`. */
  device(node: number): { major: number; minor: number } | undefined {
    const type = this.type(node);
    if (type !== "character-device" && type !== "block-device") {
      return undefined;
    }
    // Linux has 12 bits of the one and 20 of the other.
    const number = this.#sizes.get(node);
    return { major: number >>> 20, minor: number & 0xfffff };
  }

  origin(node: number): NodePlace {
    return {
      layer: this.#origins.get(node) >>> 16,
      place: this.#places.get(node) * 512,
    };
  }

  /**
   * Gives a node the facts of an entry, whatever it was before.
   *
   * @param target Of a hard link the node that it leads to, in the same layer;
   * `place` is then that node's place.
   */
  put(
    node: number,
    facts: EntryFacts,
    { layer, place }: NodePlace,
    target?: number,
  ): void {
    let size = facts.size;
    let type = NUMBERS.get(facts.type)!;
    if (target !== undefined) size = target;
    else if (facts.type === "symlink" || facts.type === "hardlink") {
      size = this.pool.add(facts.link.subarray(0, 0xffff));
      if (facts.type === "hardlink") type = LOOSE;
    } else if (facts.device) {
      const { major, minor } = facts.device;
      size = ((major & 0xfff) * 2 ** 20) + (minor & 0xfffff);
    }
    if (target !== undefined) {
      this.#facts.set(target, (this.#facts.get(target) | LINKED) >>> 0);
    }
    this.#set(node, bitsOf(type, facts.mode, facts.xattrs.size > 0), size);
    this.#places.set(node, place / 512);
    this.#setOrigin(node, layer, this.#ownerOf(facts.uid, facts.gid));
    const fits = facts.mtime >= 0 && facts.mtime <= 0xffffffff;
    if (!fits) this.#oddTimes.set(node, facts.mtime);
    else if (this.#oddTimes.size > 0) this.#oddTimes.delete(node);
    this.#times.set(node, fits ? facts.mtime : 0);
  }

  /** Makes a node a missing directory or a whiteout. */
  putPlain(
    node: number,
    type: "missing-directory" | "whiteout",
    layer: number,
  ): void {
    const mode = type === "whiteout" ? 0 : 0o755;
    this.#set(node, bitsOf(NUMBERS.get(type)!, mode, false), 0);
    this.#places.set(node, 0);
    this.#setOrigin(node, layer, this.#ownerOf(0, 0));
    this.#times.set(node, 0);
  }

  /** Makes a hard link the file itself, whose other name has gone. */
  promote(node: number, size: number): void {
    const type = NUMBERS.get("file")!;
    this.#set(node, bitsOf(type, this.mode(node), this.hasXattrs(node)), size);
  }

  /** Makes a hard link lead to another name of the same file. */
  retarget(node: number, target: number): void {
    this.#sizes.set(node, target);
    this.#facts.set(target, (this.#facts.get(target) | LINKED) >>> 0);
  }

  /** Removes a node; remove what is below it first. */
  remove(node: number): void {
    this.#facts.set(node, 0);
  }

  /** Sets what is known of a node: its {@linkcode bitsOf}, and its size. */
  #set(node: number, bits: number, size: number): void {
    const high = Math.floor(size / 2 ** 32) & 0x3fff;
    this.#sizes.set(node, size >>> 0);
    this.#facts.set(node, (bits | (high << 16)) >>> 0);
  }

  #wide(node: number): number {
    const high = (this.#facts.get(node) >>> 16) & 0x3fff;
    return high * 2 ** 32 + this.#sizes.get(node);
  }

  #setOrigin(node: number, layer: number, owner: number): void {
    if (layer >= MAX_LAYERS) {
      throw new InputError(`It has more than ${MAX_LAYERS} layers`);
    }
    this.#origins.set(node, ((layer << 16) | owner) >>> 0);
  }

  #ownerOf(uid: number, gid: number): number {
    const key = `${uid}:${gid}`;
    const known = this.#ownerNumbers.get(key);
    if (known !== undefined) return known;
    if (this.#owners.length === MAX_OWNERS) {
      throw new InputError(`Its files have more than ${MAX_OWNERS} owners`);
    }
    this.#ownerNumbers.set(key, this.#owners.length);
    return this.#owners.push({ uid, gid }) - 1;
  }
}

/** Type, mode and whether there are extended attributes, as one number. */
function bitsOf(type: number, mode: number, xattrs: boolean): number {
  return mode | (type << 12) | (xattrs ? 0x80000000 : 0);
}
