import type { FileKind, FileRecord } from "../directory/file_list.ts";
import { Texts } from "../directory/texts.ts";
import { fileHeader, needsRecords } from "../directory/file_header.ts";
import { BLOCK, FIELD, padded } from "../tar/block.ts";
import type { EntryFacts } from "../tar/entry_facts.ts";
import type { PaxRecord } from "../tar/pax.ts";

/** What an entry is, besides what a {@linkcode FileRecord} says. */
const KINDS: readonly FileKind[] = [
  "file",
  "directory",
  "symlink",
  "hardlink",
  "character",
  "block",
  "fifo",
];

/** Where each number of a row is. */
const ROW = {
  path: 0,
  mode: 1,
  uid: 2,
  gid: 3,
  size: 4,
  seconds: 5,
  /** Place of a link's target, or a device's numbers. */
  link: 6,
  /** Offset of the header blocks, and how many bytes they have. */
  start: 7,
  head: 8,
  /** The row whose file it is: its own, unless it is a hard link. */
  file: 9,
  width: 10,
} as const;

const PAGE = 1 << 10;

/** Bits of a row's mode: its kind comes after the file's own bits. */
const KIND_BIT = 12;
const KIND_MASK = 7;
/** Whether a header block says all, if it is no further name of a file. */
const IS_PLAIN = 1 << 15;

/** An entry to be put in order. */
export interface TableEntry {
  path: Uint8Array;
  facts: EntryFacts;
  records: readonly PaxRecord[];
  /** Offset of its header blocks in the source, and their size, in bytes. */
  start: number;
  head: number;
  isSparse: boolean;
  /** The row that a hard link leads to, or -1. */
  target: number;
}

/** The entries of a tar, at some 100 bytes each. */
export class EntryTable {
  readonly #pages: Float64Array[] = [];
  readonly #texts = new Texts();
  /** What few entries have. */
  readonly #records = new Map<number, readonly PaxRecord[]>();
  readonly #sparse = new Set<number>();
  #length = 0;
  /** Whether a row is a hard link to another one. */
  hasLinks = false;

  get length(): number {
    return this.#length;
  }

  /** Adds an entry and returns its row. */
  add(entry: TableEntry): number {
    const { path, facts, records, start, head, isSparse, target } = entry;
    const row = this.#length++;
    if (row % PAGE === 0) this.#pages.push(new Float64Array(PAGE * ROW.width));
    const page = this.#pages.at(-1)!;
    const at = row % PAGE * ROW.width;
    const kind = kindOf(facts);
    const mode = kind === "symlink" ? 0o777 : facts.mode;
    const isPlain = needsBlock(kind, entry) ? IS_PLAIN : 0;
    page[at + ROW.path] = this.#texts.add(path);
    page[at + ROW.mode] = isPlain | KINDS.indexOf(kind) << KIND_BIT | mode;
    page[at + ROW.uid] = facts.uid;
    page[at + ROW.gid] = facts.gid;
    page[at + ROW.size] = facts.size;
    page[at + ROW.seconds] = facts.mtime;
    page[at + ROW.link] = kind === "symlink" || kind === "hardlink"
      ? this.#texts.add(facts.link)
      : numberOf(facts.device);
    page[at + ROW.start] = start;
    page[at + ROW.head] = head;
    page[at + ROW.file] = target < 0 ? row : this.file(target);
    if (records.length > 0) this.#records.set(row, records);
    if (isSparse) this.#sparse.add(row);
    this.hasLinks ||= target >= 0;
    return row;
  }

  path(row: number): Uint8Array {
    return this.#texts.get(this.#get(row, ROW.path));
  }

  pathLength(row: number): number {
    return this.#texts.length(this.#get(row, ROW.path));
  }

  /** As {@linkcode Texts.number}, of a path. */
  pathNumber(row: number, start: number, count: number, end: number): number {
    return this.#texts.number(this.#get(row, ROW.path), start, count, end);
  }

  /** As {@linkcode Texts.compareBytes}, of paths. */
  comparePaths(a: number, b: number, start: number, end: number): number {
    const first = this.#get(a, ROW.path);
    const second = this.#get(b, ROW.path);
    return this.#texts.compareBytes(first, second, start, end);
  }

  /** The row whose file it is. */
  file(row: number): number {
    return this.#get(row, ROW.file);
  }

  kind(row: number): FileKind {
    return KINDS[this.#get(row, ROW.mode) >>> KIND_BIT & KIND_MASK]!;
  }

  /** Whether there are sparse files. */
  get hasSparse(): boolean {
    return this.#sparse.size > 0;
  }

  isSparse(row: number): boolean {
    return this.#sparse.has(row);
  }

  /** Offset of the header blocks in the source, and of the data. */
  place(row: number): { start: number; data: number } {
    const start = this.#get(row, ROW.start);
    return { start, data: start + this.#get(row, ROW.head) };
  }

  size(row: number): number {
    return this.#get(row, ROW.size);
  }

  /**
   * What is written for a row.
   *
   * @param first The row that is the file's first name.
   */
  record(row: number, first: number): FileRecord {
    const file = this.file(row);
    const kind = this.kind(file);
    const record: FileRecord = {
      kind: first === row ? kind : "hardlink",
      path: this.path(row),
      mode: this.#get(file, ROW.mode) & 0o7777,
      uid: this.#get(file, ROW.uid),
      gid: this.#get(file, ROW.gid),
      size: first === row ? this.size(file) : 0,
      seconds: this.#get(file, ROW.seconds),
      nanoseconds: 0,
      major: 0,
      minor: 0,
    };
    const link = this.#get(file, ROW.link);
    if (first !== row) record.link = this.path(first);
    else if (kind === "symlink" || kind === "hardlink") {
      record.link = this.#texts.get(link);
    } else {
      record.major = Math.floor(link / 2 ** 32);
      record.minor = link % 2 ** 32;
    }
    const records = this.#records.get(file);
    if (records) record.records = records;
    return record;
  }

  /** Bytes of the header blocks that are written for a row. */
  headerSize(row: number, first: number): number {
    const isPlain = first === row && this.file(row) === row &&
      (this.#get(row, ROW.mode) & IS_PLAIN) !== 0;
    return isPlain ? BLOCK : fileHeader(this.record(row, first)).length;
  }

  /** Bytes of data that a row has in the archive, with padding. */
  stored(row: number, first: number): number {
    const file = this.file(row);
    return first === row && this.kind(file) === "file"
      ? padded(this.size(file))
      : 0;
  }

  #get(row: number, field: number): number {
    return this
      .#pages[Math.floor(row / PAGE)]![row % PAGE * ROW.width + field]!;
  }
}

/** A device's numbers as one. */
function numberOf(device: EntryFacts["device"]): number {
  return device ? device.major * 2 ** 32 + device.minor : 0;
}

/** Whether an entry needs a header block alone. */
function needsBlock(
  kind: FileKind,
  { path, facts, records }: TableEntry,
): boolean {
  const { uid, gid, size, mtime: seconds } = facts;
  const slash = kind === "directory" ? 1 : 0;
  const link = kind === "symlink" ? facts.link.length : 0;
  return path.length > 0 && path.length + slash <= FIELD.name[1] &&
    link <= FIELD.link[1] && kind !== "hardlink" && records.length === 0 &&
    !needsRecords({ uid, gid, size, seconds, nanoseconds: 0 });
}

function kindOf({ type }: EntryFacts): FileKind {
  if (type === "character-device") return "character";
  return type === "block-device" ? "block" : type;
}
