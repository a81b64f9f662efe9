/** What a path is. */
export const NODE = {
  file: 0,
  directory: 1,
  symlink: 2,
  device: 3,
  fifo: 4,
  /** A missing directory: it has no entry of its own. */
  missing: 5,
} as const;

/** One of {@linkcode NODE}'s values. */
export type Node = typeof NODE[keyof typeof NODE];

/** Facts about a slot. */
export const FLAG = {
  /** It is a hard link; its root is another slot. */
  link: 8,
  /** No upper layer hides it. */
  visible: 16,
  /** Its counterpart in the other tree is known. */
  matched: 32,
  /** A character device that rkt reads without end. */
  endless: 64,
  /** Its contents are not one stretch of the archive. */
  sparse: 128,
  /** Its path is not UTF-8, so that no document can name it. */
  unnameable: 256,
} as const;

/** The numbers of a slot; each takes four bytes. */
const LOW = 0;
const HIGH = 1;
const PLACE = 2;
const DATA = 3;
const SIZE_LOW = 4;
const SIZE_HIGH = 5;
const FACTS = 6;
const EXTRA = 7;
const ROOT = 8;
const PEER = 9;
const FLAGS = 10;
const WIDTH = 11;

/** Slots of one piece of the table. */
const PIECE = 1 << 12;
const BLOCK = 512;
const WORD = 2 ** 32;

/** What the table holds of an entry. */
export interface Row {
  node: Node;
  /** Offset of its first header block, in bytes. */
  place: number;
  /** Offset of its data, in bytes. */
  data: number;
  /** Size of its contents in bytes. */
  size: number;
  /** A keyed checksum of mode, owner, time and attributes. */
  facts: number;
  /** A keyed checksum of a symlink's target or a device's numbers. */
  extra: number;
}

/**
 * The entries of a tar by the hashes of their paths: 44 bytes an entry and a
 * hash table of 5 to 9 bytes an entry, without the paths.
 */
export class EntryTable {
  readonly #pieces: Uint32Array[] = [];
  #table = new Uint32Array(1 << 10);
  #count = 0;
  #size = 0;

  /** How many slots there are. */
  get length(): number {
    return this.#count;
  }

  /** The slot of the newest entry with a path's hash, or -1. */
  find(low: number, high: number): number {
    const mask = this.#table.length - 1;
    for (let i = low & mask;; i = (i + 1) & mask) {
      const slot = this.#table[i]! - 1;
      if (slot < 0) return -1;
      if (this.#get(slot, LOW) === low && this.#get(slot, HIGH) === high) {
        return slot;
      }
    }
  }

  /** Adds an entry; {@linkcode find} gives its slot from now on. */
  add(low: number, high: number, row: Row): number {
    if ((this.#size + 1) * 8 > this.#table.length * 7) this.#grow();
    const slot = this.#count++;
    if (slot % PIECE === 0) this.#pieces.push(new Uint32Array(PIECE * WIDTH));
    this.#set(slot, LOW, low);
    this.#set(slot, HIGH, high);
    this.#set(slot, ROOT, slot);
    this.set(slot, row);
    const mask = this.#table.length - 1;
    let i = low & mask;
    for (;; i = (i + 1) & mask) {
      const other = this.#table[i]! - 1;
      if (other < 0) {
        this.#size++;
        break;
      }
      if (this.#get(other, LOW) === low && this.#get(other, HIGH) === high) {
        break;
      }
    }
    this.#table[i] = slot + 1;
    return slot;
  }

  /** Changes what the table holds of a slot. */
  set(slot: number, { node, place, data, size, facts, extra }: Row): void {
    this.#set(slot, PLACE, place / BLOCK);
    this.#set(slot, DATA, data / BLOCK);
    this.#set(slot, SIZE_LOW, size % WORD);
    this.#set(slot, SIZE_HIGH, Math.floor(size / WORD));
    this.#set(slot, FACTS, facts);
    this.#set(slot, EXTRA, extra);
    this.#set(slot, FLAGS, (this.#get(slot, FLAGS) & ~7) | node);
  }

  node(slot: number): Node {
    return (this.#get(slot, FLAGS) & 7) as Node;
  }

  place(slot: number): number {
    return this.#get(slot, PLACE) * BLOCK;
  }

  data(slot: number): number {
    return this.#get(slot, DATA) * BLOCK;
  }

  size(slot: number): number {
    return this.#get(slot, SIZE_HIGH) * WORD + this.#get(slot, SIZE_LOW);
  }

  facts(slot: number): number {
    return this.#get(slot, FACTS);
  }

  extra(slot: number): number {
    return this.#get(slot, EXTRA);
  }

  /** Lower half of the hash of its path. */
  low(slot: number): number {
    return this.#get(slot, LOW);
  }

  /** Upper half of it. */
  high(slot: number): number {
    return this.#get(slot, HIGH);
  }

  /** The slot that has the contents: of a hard link another one. */
  root(slot: number): number {
    return this.#get(slot, ROOT);
  }

  /** Makes a slot a hard link. */
  link(slot: number, root: number): void {
    this.#set(slot, ROOT, root);
    this.mark(slot, FLAG.link);
  }

  /** The slot of the same file in the other tree; 0 if not known. */
  peer(slot: number): number {
    return this.#get(slot, PEER);
  }

  setPeer(slot: number, peer: number): void {
    this.#set(slot, PEER, peer);
  }

  /** Whether one of {@linkcode FLAG}'s facts is set. */
  has(slot: number, flag: number): boolean {
    return (this.#get(slot, FLAGS) & flag) !== 0;
  }

  /** Sets one of {@linkcode FLAG}'s facts. */
  mark(slot: number, flag: number): void {
    this.#set(slot, FLAGS, this.#get(slot, FLAGS) | flag);
  }

  #get(slot: number, column: number): number {
    return this.#pieces[slot >>> 12]![(slot & (PIECE - 1)) * WIDTH + column]!;
  }

  #set(slot: number, column: number, value: number): void {
    this.#pieces[slot >>> 12]![(slot & (PIECE - 1)) * WIDTH + column] = value;
  }

  #grow(): void {
    const table = new Uint32Array(this.#table.length * 2);
    const mask = table.length - 1;
    for (const entry of this.#table) {
      if (entry === 0) continue;
      let i = this.#get(entry - 1, LOW) & mask;
      while (table[i] !== 0) i = (i + 1) & mask;
      table[i] = entry;
    }
    this.#table = table;
  }
}

/** Whether a node is a directory. */
export function isDirectory(node: Node | undefined): boolean {
  return node === NODE.directory || node === NODE.missing;
}
