import { PathHash } from "../streams/path_hash.ts";
import { SlotPages } from "./slot_pages.ts";

/** What a path is in the tree so far. */
export const NODE = {
  file: 0,
  directory: 1,
  symlink: 2,
  /** Other devices and FIFOs. */
  other: 3,
  /** A missing directory: entries are below it, but it has none of its own. */
  missing: 4,
  /** A character device that rkt must not see. */
  hidden: 5,
} as const;

/** One of {@linkcode NODE}'s values. */
export type Node = typeof NODE[keyof typeof NODE];

/** Facts about a slot that a later entry or the entry itself adds. */
export const FLAG = {
  /** A later entry takes its place. */
  dropped: 0x08,
  /** It goes to another path than the one its header has. */
  moved: 0x10,
  /** It is a hard link. */
  link: 0x20,
  /** A hard link leads to it. */
  linked: 0x40,
  /** A hard link whose header disagrees with its target's. */
  differs: 0x80,
} as const;

/** What {@linkcode PathIndex.add} takes of an entry. */
export interface IndexedEntry {
  node: Node;
  /** Where it starts in its input, in blocks of 512 bytes. */
  offset: number;
  /**
   * A checksum of the metadata that hard links share; of a hard link itself the
   * slot that it leads to.
   */
  link: number;
}

/** The numbers of a slot in a row. */
const LOW = 0;
const HIGH = 1;
const OFFSET = 2;
const LINK = 3;

/**
 * The entries of a tree, findable by path, at 22 to 26 bytes each, and up to 31
 * while the table grows.
 *
 * It has no paths, only 64-bit hashes of them under a random key. Two of a
 * million paths have the same hash with a chance of one to 30 million, and
 * nobody can make such paths without the key.
 *
 * A slot is a number; slots count up in the order in which entries come.
 */
export class PathIndex {
  readonly #pages = new SlotPages();
  /**
   * Slots by hash, each plus 1. The bits above those that slots need are bits of
   * the hash, so that hardly any slot is looked at in vain.
   */
  #table = new Uint32Array(1 << 9);
  /** The bits of slots in the table. */
  #slots = (1 << 10) - 1;
  #size = 0;
  #count = 0;
  /** Hashes paths. */
  readonly #hash = new PathHash();
  /** Length of the directory that was entered last. */
  #entered = 0;

  /** How many slots there are. */
  get length(): number {
    return this.#count;
  }

  /**
   * The slot of the newest entry with a path, or -1.
   *
   * @param path A normalized path; only its first `length` bytes count.
   */
  find(path: Uint8Array, length = path.length): number {
    this.#hash.of(path, length);
    return this.#lookUp();
  }

  /**
   * The first directory above a path that is not known to be one: missing, or
   * something else. One pass over the path, however deep it is.
   *
   * @param path A normalized path.
   * @returns Its slot (-1 if missing) and the length of its path, or
   * `undefined` if all are directories.
   */
  obstacle(path: Uint8Array): { slot: number; length: number } | undefined {
    this.#hash.start();
    let from = 0;
    for (let i = 0; i < path.length; i++) {
      if (path[i] !== 0x2f) continue;
      this.#hash.take(path, from, i);
      from = i;
      const slot = this.#lookUp();
      const node = slot < 0 ? undefined : this.node(slot);
      if (node !== NODE.directory && node !== NODE.missing) {
        return { slot, length: i };
      }
    }
    return undefined;
  }

  /**
   * Whether a path is in an index of deletions, or below one: a `file`
   * there deletes its path and all below it, a `directory` only what is below.
   *
   * @param path A normalized path.
   */
  deletes(path: Uint8Array): boolean {
    this.#hash.start();
    let from = 0;
    for (let i = 0; i <= path.length; i++) {
      if (i < path.length && path[i] !== 0x2f) continue;
      this.#hash.take(path, from, i);
      from = i;
      const slot = this.#lookUp();
      if (slot >= 0 && (i < path.length || this.node(slot) === NODE.file)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Adds an entry; from now on {@linkcode find} gives its slot for the path.
   *
   * @param path A normalized path; only its first `length` bytes count.
   * @returns The new slot.
   */
  add(path: Uint8Array, entry: IndexedEntry, length = path.length): number {
    this.#makeRoom();
    this.#hash.of(path, length);
    return this.#addAt(this.#probe(), entry);
  }

  /**
   * Remembers the hash of a directory, so that what is in it needs less time.
   *
   * @param path A normalized path; only its first `length` bytes count.
   */
  enter(path: Uint8Array, length: number): void {
    this.#hash.of(path, length);
    this.#entered = length;
    this.#hash.mark();
  }

  /**
   * Adds an entry as {@linkcode add} does, unless {@linkcode find} finds one.
   *
   * @param path A normalized path.
   * @param isInside Whether it is below the directory that was entered last.
   * @returns The new slot, or -1 if the path has one.
   */
  addNew(path: Uint8Array, entry: IndexedEntry, isInside = false): number {
    this.#makeRoom();
    if (isInside) {
      this.#hash.resume();
      this.#hash.take(path, this.#entered);
    } else this.#hash.of(path);
    const place = this.#probe();
    const old = this.#slotAt(place);
    if (old >= 0 && !this.has(old, FLAG.dropped)) return -1;
    return this.#addAt(place, entry);
  }

  #addAt(place: number, { node, offset, link }: IndexedEntry): number {
    const slot = this.#newSlot(node);
    const { low, high } = this.#hash;
    const numbers = this.#pages.numbers(slot);
    const at = this.#pages.at(slot);
    numbers[at + LOW] = low;
    numbers[at + HIGH] = high;
    numbers[at + OFFSET] = offset;
    numbers[at + LINK] = link;
    if (this.#table[place] === 0) this.#size++;
    this.#table[place] = cellOf(high, slot, this.#slots);
    return slot;
  }

  /** Adds a slot without a path, so that the count of entries stays right. */
  addHidden(): number {
    return this.#newSlot(FLAG.dropped);
  }

  /** Adds a slot with nothing but facts. */
  #newSlot(facts: number): number {
    const slot = this.#count++;
    if (slot >= this.#pages.room) this.#pages.grow();
    this.#pages.facts(slot)[this.#pages.factsAt(slot)] = facts;
    return slot;
  }

  /** What the entry is. */
  node(slot: number): Node {
    return (this.#fact(slot) & 7) as Node;
  }

  /** Whether one of {@linkcode FLAG}'s facts is set. */
  has(slot: number, flag: number): boolean {
    return (this.#fact(slot) & flag) !== 0;
  }

  /** Sets one of {@linkcode FLAG}'s facts. */
  mark(slot: number, flag: number): void {
    this.#pages.facts(slot)[this.#pages.factsAt(slot)]! |= flag;
  }

  /** Where the entry starts in its input, in blocks of 512 bytes. */
  offset(slot: number): number {
    return this.#number(slot, OFFSET);
  }

  /** The checksum of its link metadata, if it is no hard link. */
  linkMetadata(slot: number): number {
    return this.#number(slot, LINK);
  }

  /** The slot that a hard link leads to. */
  linkedSlot(slot: number): number {
    return this.#number(slot, LINK);
  }

  #number(slot: number, column: number): number {
    return this.#pages.numbers(slot)[this.#pages.at(slot) + column] ?? 0;
  }

  #fact(slot: number): number {
    return this.#pages.facts(slot)[this.#pages.factsAt(slot)] ?? 0;
  }

  /** The slot at a place of the table, or -1. */
  #slotAt(place: number): number {
    return (this.#table[place]! & this.#slots) - 1;
  }

  /** Makes room for one more path. */
  #makeRoom(): void {
    const { length } = this.#table;
    if ((this.#size + 1) * 8 > length * 7) this.#remake(length * 2);
    // Slots without paths, or with the same one, need no larger table.
    else if (this.#count >= this.#slots) this.#remake(length);
  }

  #remake(length: number): void {
    const old = this.#table;
    const oldSlots = this.#slots;
    while (this.#slots + 1 < 2 * length || this.#count >= this.#slots) {
      this.#slots = this.#slots * 2 + 1;
    }
    const slots = this.#slots;
    const table = new Uint32Array(length);
    const mask = length - 1;
    for (const cell of old) {
      if (cell === 0) continue;
      const slot = (cell & oldSlots) - 1;
      const numbers = this.#pages.numbers(slot);
      const at = this.#pages.at(slot);
      let i = numbers[at + LOW]! & mask;
      while (table[i] !== 0) i = (i + 1) & mask;
      table[i] = cellOf(numbers[at + HIGH]!, slot, slots);
    }
    const { buffer } = old;
    // Its memory goes at once: the collector lets several tables pile up. Node
    // 20 cannot.
    if ("transfer" in buffer) buffer.transfer(0);
    this.#table = table;
  }

  /** The slot of the newest entry with the newest hash, or -1. */
  #lookUp(): number {
    const slot = this.#slotAt(this.#probe());
    return slot < 0 || this.has(slot, FLAG.dropped) ? -1 : slot;
  }

  /** Where the table has the newest hash, or has room for it. */
  #probe(): number {
    const table = this.#table;
    const mask = table.length - 1;
    const { low, high } = this.#hash;
    for (let i = low & mask;; i = (i + 1) & mask) {
      const cell = table[i]!;
      if (cell === 0) return i;
      if (((cell ^ high) & ~this.#slots) !== 0) continue;
      const slot = (cell & this.#slots) - 1;
      const numbers = this.#pages.numbers(slot);
      const at = this.#pages.at(slot);
      if (numbers[at + LOW] === low && numbers[at + HIGH] === high) return i;
    }
  }
}

/** What the table has of a slot. */
function cellOf(high: number, slot: number, slots: number): number {
  return ((high & ~slots) | (slot + 1)) >>> 0;
}
