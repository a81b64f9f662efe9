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
}

/** Where each number of a row is. */
const ROW = {
  parent: 0,
  name: 1,
  /** Kind and permission bits. */
  mode: 2,
  uid: 3,
  gid: 4,
  size: 5,
  seconds: 6,
  nanoseconds: 7,
  /**
   * A hard link's slot, the place of a symlink's target, or a device's number.
   */
  link: 8,
  stamp: 9,
  offset: 10,
  width: 11,
} as const;

/** Rows on a page. */
const PAGE = 1 << 10;

/**
 * The files of a tree in the order of an archive, at some 100 bytes each: rows
 * of numbers on pages, so that growing copies nothing.
 */
export class FileList {
  readonly #pages: Float64Array[] = [];
  readonly #texts = new Texts();
  #length = 0;

  /** How many files there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds a file after all others and returns its slot. */
  add(file: NewFile): number {
    const slot = this.#length++;
    if (slot % PAGE === 0) this.#pages.push(new Float64Array(PAGE * ROW.width));
    const { link } = file;
    this.#set(slot, ROW.parent, file.parent);
    this.#set(slot, ROW.name, this.#texts.add(file.name));
    this.#set(slot, ROW.mode, FILE_KIND.indexOf(file.kind) << 12 | file.mode);
    this.#set(slot, ROW.uid, file.uid);
    this.#set(slot, ROW.gid, file.gid);
    this.#set(slot, ROW.size, file.size);
    this.setTime(slot, file.seconds, file.nanoseconds);
    this.#set(
      slot,
      ROW.link,
      link === undefined
        ? file.major * 2 ** 32 + file.minor
        : typeof link === "number"
        ? link
        : this.#texts.add(link),
    );
    this.#set(slot, ROW.stamp, file.stamp);
    return slot;
  }

  /** What a slot holds. */
  kind(slot: number): FileKind {
    return FILE_KIND[this.#get(slot, ROW.mode) >>> 12]!;
  }

  /** Size of a file's contents in bytes. */
  size(slot: number): number {
    return this.#get(slot, ROW.size);
  }

  /** The number that {@linkcode NewFile.stamp} was. */
  stamp(slot: number): number {
    return this.#get(slot, ROW.stamp);
  }

  /** Sets the modification time, see {@linkcode FileRecord}. */
  setTime(slot: number, seconds: number, nanoseconds: number): void {
    this.#set(slot, ROW.seconds, seconds);
    this.#set(slot, ROW.nanoseconds, nanoseconds);
  }

  /** Sets a symlink's target. */
  setTarget(slot: number, target: Uint8Array): void {
    this.#set(slot, ROW.link, this.#texts.add(target));
  }

  /** Where in an archive the file's header is, in bytes. */
  offset(slot: number): number {
    return this.#get(slot, ROW.offset);
  }

  setOffset(slot: number, offset: number): void {
    this.#set(slot, ROW.offset, offset);
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

  /** A file's path below the root, as in {@linkcode FileRecord}. */
  path(slot: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let length = -1;
    for (let at = slot; at > 0; at = this.#get(at, ROW.parent)) {
      const name = this.#texts.get(this.#get(at, ROW.name));
      parts.push(name);
      length += name.length + 1;
    }
    const path = new Uint8Array(Math.max(length, 0)).fill(SLASH);
    let end = length;
    for (const name of parts) {
      path.set(name, end - name.length);
      end -= name.length + 1;
    }
    return path;
  }

  /** Length of a file's path below the root in bytes. */
  pathLength(slot: number): number {
    let length = slot > 0 ? -1 : 0;
    for (let at = slot; at > 0; at = this.#get(at, ROW.parent)) {
      length += this.#texts.length(this.#get(at, ROW.name)) + 1;
    }
    return length;
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
      seconds: this.#get(slot, ROW.seconds),
      nanoseconds: this.#get(slot, ROW.nanoseconds),
    };
  }

  /** All of a slot. */
  record(slot: number): FileRecord {
    const kind = this.kind(slot);
    const link = this.#get(slot, ROW.link);
    const record: FileRecord = {
      kind,
      path: this.path(slot),
      mode: this.#get(slot, ROW.mode) & 0o7777,
      ...this.numbers(slot),
      major: 0,
      minor: 0,
    };
    if (kind === "symlink") record.link = this.#texts.get(link);
    else if (kind === "hardlink") record.link = this.path(link);
    else {
      record.major = Math.floor(link / 2 ** 32);
      record.minor = link % 2 ** 32;
    }
    return record;
  }

  #get(slot: number, field: number): number {
    return this.#pages[Math.floor(slot / PAGE)]![
      slot % PAGE * ROW.width + field
    ]!;
  }

  #set(slot: number, field: number, value: number): void {
    const page = this.#pages[Math.floor(slot / PAGE)]!;
    page[slot % PAGE * ROW.width + field] = value;
  }
}

const SLASH = 0x2f;
