import { concat } from "../streams/bytes.ts";
import type { PaxRecord } from "../tar/pax.ts";
import { Texts } from "./texts.ts";

/** What a file of a tree is. */
const FILE_KIND = [
  "file",
  "directory",
  "symlink",
  /** One more path of a file that comes before it in the list. */
  "hardlink",
  "character",
  "block",
  "fifo",
] as const;

/** One of {@linkcode FILE_KIND}. */
export type FileKind = typeof FILE_KIND[number];

/** A file of a tree: its place, and what a tar header says of it. */
export interface FileRecord {
  kind: FileKind;
  /** Path below the root, without slashes at its ends; empty for the root. */
  path: Uint8Array;
  /** A symlink's target, or the path that a hard link leads to. */
  link?: Uint8Array;
  /** Permission bits, with set-uid, set-gid and sticky. */
  mode: number;
  uid: number;
  gid: number;
  /** Size of the contents in bytes; 0 for all but plain files. */
  size: number;
  /** Modification time in whole seconds since 1970, rounded down. */
  seconds: number;
  /** What is to be added to the seconds. */
  nanoseconds: number;
  /** Numbers of a device. */
  major: number;
  minor: number;
  /** Further PAX records, such as extended attributes. */
  records?: readonly PaxRecord[];
}

/** The numbers of a file that a header block may have no room for. */
export type FileNumbers = Pick<
  FileRecord,
  "uid" | "gid" | "size" | "seconds" | "nanoseconds" | "records"
>;

/** What {@linkcode FileList.add} takes of a file besides its record. */
export interface NewFile extends Omit<FileRecord, "path" | "link"> {
  /** Slot of the directory that holds it; -1 for the root. */
  parent: number;
  name: Uint8Array;
  /** A symlink's target, or the slot that a hard link leads to. */
  link?: Uint8Array | number;
  /** A hash that changes when the file does. */
  stamp: number;
  /** Whether only this user and root can put another file in its place. */
  isGuarded?: boolean;
}

/** Where each number of a row is that has 32 bits. */
const ROW = {
  parent: 0,
  name: 1,
  /** Permission bits, kind, and whether it is guarded. */
  mode: 2,
  uid: 3,
  gid: 4,
  nanoseconds: 5,
  /** A hard link's slot, or the place of a symlink's target or device's numbers. */
  link: 6,
  stamp: 7,
  width: 8,
} as const;

/** Where each number of a row is that may be larger. */
const WIDE = { size: 0, seconds: 1, offset: 2, width: 3 } as const;

const EMPTY: Uint8Array = new Uint8Array(0);
const SLASH = Uint8Array.of(0x2f);

/** The bit of a guarded file. */
const GUARDED = 1 << 16;

/** Rows on a page. */
const PAGE = 1 << 10;

/** Some rows of the list. */
interface Page {
  rows: Uint32Array;
  wide: Float64Array;
}

/**
 * The files of a tree in the order of an archive, at 56 bytes each and
 * their names: rows of numbers on pages, so that growing copies nothing.
 */
export class FileList {
  readonly #pages: Page[] = [];
  readonly #texts = new Texts();
  #length = 0;
  #scratch = EMPTY;
  #prefix = EMPTY;
  /** The newest answer of {@linkcode FileList.#directoryOf}: many ask again. */
  #directory = { slot: -1, path: EMPTY };

  /** How many files there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds a file after all others and returns its slot. */
  add(file: NewFile): number {
    const slot = this.#length++;
    if (slot % PAGE === 0) {
      this.#pages.push({
        rows: new Uint32Array(PAGE * ROW.width),
        wide: new Float64Array(PAGE * WIDE.width),
      });
    }
    const { rows, wide } = this.#page(slot);
    const at = slot % PAGE * ROW.width;
    rows[at + ROW.parent] = file.parent;
    rows[at + ROW.name] = this.#texts.add(file.name);
    rows[at + ROW.mode] = file.mode | FILE_KIND.indexOf(file.kind) << 12 |
      (file.isGuarded ? GUARDED : 0);
    rows[at + ROW.uid] = file.uid;
    rows[at + ROW.gid] = file.gid;
    rows[at + ROW.nanoseconds] = file.nanoseconds;
    rows[at + ROW.link] = this.#linkOf(file);
    rows[at + ROW.stamp] = file.stamp;
    wide[slot % PAGE * WIDE.width + WIDE.size] = file.size;
    wide[slot % PAGE * WIDE.width + WIDE.seconds] = file.seconds;
    return slot;
  }

  #linkOf({ kind, link, major, minor }: NewFile): number {
    if (typeof link === "number") return link;
    if (link) return this.#texts.add(link);
    return kind === "character" || kind === "block"
      ? this.#texts.add(new Uint8Array(Uint32Array.of(major, minor).buffer))
      : 0;
  }

  /** What a slot holds. */
  kind(slot: number): FileKind {
    return FILE_KIND[this.#get(slot, ROW.mode) >>> 12 & 0xf]!;
  }

  /** What {@linkcode NewFile.isGuarded} was. */
  isGuarded(slot: number): boolean {
    return (this.#get(slot, ROW.mode) & GUARDED) !== 0;
  }

  /** Size of a file's contents in bytes. */
  size(slot: number): number {
    return this.#wide(slot, WIDE.size);
  }

  /** The number that {@linkcode NewFile.stamp} was. */
  stamp(slot: number): number {
    return this.#get(slot, ROW.stamp);
  }

  /** Where in an archive the file's header is, in bytes. */
  offset(slot: number): number {
    return this.#wide(slot, WIDE.offset);
  }

  setOffset(slot: number, offset: number): void {
    const { wide } = this.#page(slot);
    wide[slot % PAGE * WIDE.width + WIDE.offset] = offset;
  }

  /** The slot whose stretch of the archive holds a byte. */
  slotAt(offset: number): number {
    let low = 0;
    let high = this.#length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.offset(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /**
   * A file's path below the root, as in {@linkcode FileRecord}.
   *
   * @param prefix Comes before it in memory, such as the path of the root; that
   * memory is used again for the next path.
   */
  path(slot: number, prefix?: Uint8Array): Uint8Array {
    const name = this.#texts.get(this.#get(slot, ROW.name));
    const directory = this.#directoryOf(slot);
    const size = directory.length + name.length;
    const path = prefix ? this.#room(prefix, size) : new Uint8Array(size);
    path.set(directory);
    path.set(name, directory.length);
    return path;
  }

  /** Room for a path after a prefix. */
  #room(prefix: Uint8Array, size: number): Uint8Array {
    const end = prefix.length + size;
    if (end > this.#scratch.length || prefix !== this.#prefix) {
      this.#scratch = new Uint8Array(2 * end + 4096);
      this.#scratch.set(prefix);
      this.#prefix = prefix;
    }
    return this.#scratch.subarray(prefix.length, end);
  }

  /** Length of a file's path below the root in bytes. */
  pathLength(slot: number): number {
    return this.#directoryOf(slot).length +
      this.#texts.length(this.#get(slot, ROW.name));
  }

  /** The path of the directory that holds a file, with a slash at its end. */
  #directoryOf(slot: number): Uint8Array {
    const parent = this.#get(slot, ROW.parent);
    if (slot === 0 || parent === 0) return EMPTY;
    if (parent === this.#directory.slot) return this.#directory.path;
    const above = this.#directoryOf(parent);
    const path = concat([
      above,
      this.#texts.get(this.#get(parent, ROW.name)),
      SLASH,
    ]);
    this.#directory = { slot: parent, path };
    return path;
  }

  /** Length of what {@linkcode FileRecord.link} is, in bytes. */
  linkLength(slot: number): number {
    const kind = this.kind(slot);
    const link = this.#get(slot, ROW.link);
    if (kind === "symlink") return this.#texts.length(link);
    return kind === "hardlink" ? this.pathLength(link) : 0;
  }

  /** The numbers of a slot that a header block may have no room for. */
  numbers(slot: number): FileNumbers {
    return {
      uid: this.#get(slot, ROW.uid),
      gid: this.#get(slot, ROW.gid),
      size: this.size(slot),
      seconds: this.#wide(slot, WIDE.seconds),
      nanoseconds: this.#get(slot, ROW.nanoseconds),
    };
  }

  /**
   * All of a slot.
   *
   * @param prefix As {@linkcode FileList.path} takes it.
   */
  record(slot: number, prefix?: Uint8Array): FileRecord {
    const kind = this.kind(slot);
    const link = this.#get(slot, ROW.link);
    const record: FileRecord = {
      kind,
      path: this.path(slot, prefix),
      mode: this.#get(slot, ROW.mode) & 0o7777,
      uid: this.#get(slot, ROW.uid),
      gid: this.#get(slot, ROW.gid),
      size: this.#wide(slot, WIDE.size),
      seconds: this.#wide(slot, WIDE.seconds),
      nanoseconds: this.#get(slot, ROW.nanoseconds),
      major: 0,
      minor: 0,
    };
    if (kind === "symlink") record.link = this.#texts.get(link);
    else if (kind === "hardlink") record.link = this.path(link);
    else if (kind === "character" || kind === "block") {
      const numbers = new Uint32Array(this.#texts.get(link).slice().buffer);
      [record.major, record.minor] = [numbers[0]!, numbers[1]!];
    }
    return record;
  }

  #page(slot: number): Page {
    return this.#pages[Math.floor(slot / PAGE)]!;
  }

  #get(slot: number, field: number): number {
    return this.#page(slot).rows[slot % PAGE * ROW.width + field]!;
  }

  #wide(slot: number, field: number): number {
    return this.#page(slot).wide[slot % PAGE * WIDE.width + field]!;
  }
}
