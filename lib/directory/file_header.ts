import { ascii, concat } from "../streams/bytes.ts";
import type {
  FileKind,
  FileList,
  FileNumbers,
  FileRecord,
} from "./file_list.ts";
import { BLOCK, FIELD, padded, putChecksum, putNumber } from "../tar/block.ts";
import type { Entry, Kind } from "../tar/entry.ts";
import { formatPax, NO_RECORDS, type PaxRecord } from "../tar/pax.ts";
import { paxEntry, rebuild } from "../tar/rebuild.ts";

const EMPTY = new Uint8Array(0);
const ROOT = ascii("./");
const SLASH = Uint8Array.of(0x2f);
const POINT = 0x2e;
const NEWLINE = 0x0a;
const MAGIC = ascii("ustar\x0000");

const FLAG: Record<FileKind, [flag: string, kind: Kind]> = {
  file: ["0", "file"],
  hardlink: ["1", "hardlink"],
  symlink: ["2", "symlink"],
  character: ["3", "device"],
  block: ["4", "device"],
  directory: ["5", "directory"],
  fifo: ["6", "fifo"],
};

/**
 * Makes the header blocks of a file of a tree: ustar, with PAX records for what
 * ustar cannot say, such as parts of a second (POSIX.1-2017 pax). Numbers that
 * are too large for ustar are in the header as well, in GNU's way, for readers
 * that know no PAX. A long name that is not UTF-8, which PAX forbids, becomes a
 * GNU long name.
 *
 * The names of user and group stay empty: they depend on the machine.
 *
 * @returns A multiple of 512 bytes, the same for the same record.
 */
export function fileHeader(record: FileRecord): Uint8Array {
  const { kind, size } = record;
  const path = pathOf(record);
  const { link = EMPTY } = record;
  const records = paxRecords(record);
  const pax = records.length > 0 ? formatPax(records) : EMPTY;
  const header = pax.length > 0 ? BLOCK + padded(pax.length) : 0;
  const bytes = new Uint8Array(header + BLOCK);
  if (header > 0) {
    bytes.set(paxBlock(records, pax.length));
    bytes.set(pax, BLOCK);
  }
  if (isShort(path, link)) {
    putBlock(record, path, bytes, header);
    return bytes;
  }
  putNumbers(record, bytes, header);
  const entry: Entry = {
    start: 0,
    end: header + BLOCK,
    header,
    kind: FLAG[kind][1],
    flag: FLAG[kind][0].charCodeAt(0),
    dialect: "ustar",
    mode: record.mode,
    uid: record.uid,
    gid: record.gid,
    mtime: record.seconds,
    path,
    link,
    size: kind === "file" ? size : 0,
    stored: kind === "file" ? size : 0,
    records,
    pax: header > 0 ? 0 : -1,
    longName: false,
    longLink: false,
    odd: false,
  };
  return rebuild(bytes, entry, NO_RECORDS, {
    path,
    ...(link.length > 0 && { link }),
  });
}

/**
 * Writes into a buffer what {@linkcode fileHeader} makes of a file, if that is
 * a header block, or one after the record of a time: of nearly all files.
 *
 * @param at Where it goes; the buffer has room and may hold anything there.
 * @returns Whether it is that.
 */
export function putFileHeader(
  record: FileRecord,
  bytes: Uint8Array,
  at: number,
): boolean {
  const path = pathOf(record);
  if (!isShort(path, record.link ?? EMPTY) || hasLargeNumbers(record)) {
    return false;
  }
  let block = at;
  if (record.nanoseconds > 0) {
    if (!putTimeRecord(record, bytes, at)) return false;
    block += 2 * BLOCK;
  }
  bytes.fill(0, block, block + BLOCK);
  putBlock(record, path, bytes, block);
  return true;
}

const MTIME = ascii(" mtime=");

/**
 * Writes a PAX header with a time alone, which is not before 1970.
 *
 * @returns Whether the block before such a record is known already.
 */
function putTimeRecord(
  { seconds, nanoseconds }: FileNumbers,
  bytes: Uint8Array,
  at: number,
): boolean {
  let digits = 1;
  while (10 ** digits <= seconds) digits++;
  let parts = 9;
  let fraction = nanoseconds;
  for (; fraction % 10 === 0; fraction /= 10) parts--;
  // Its length, which has two digits, a point, and a newline.
  const size = MTIME.length + digits + parts + 4;
  const block = paxBlocks.get(size);
  if (!block) return false;
  const data = at + BLOCK;
  bytes.set(block, at);
  bytes.fill(0, data, data + BLOCK);
  putDigits(bytes, data + 2, size);
  bytes.set(MTIME, data + 2);
  const point = data + 2 + MTIME.length + digits;
  putDigits(bytes, point, seconds);
  bytes[point] = POINT;
  putDigits(bytes, point + 1 + parts, fraction, parts);
  bytes[point + 1 + parts] = NEWLINE;
  return true;
}

/** Writes a whole number in decimal digits, so many at least, up to a place. */
function putDigits(
  bytes: Uint8Array,
  end: number,
  value: number,
  least = 1,
): void {
  let rest = value;
  for (let at = end - 1; rest > 0 || at >= end - least; at--) {
    const digit = rest % 10;
    bytes[at] = 0x30 + digit;
    rest = (rest - digit) / 10;
  }
}

/** A file's path as it is in an archive. */
function pathOf({ kind, path }: FileRecord): Uint8Array {
  if (path.length === 0) return ROOT;
  return kind === "directory" ? concat([path, SLASH]) : path;
}

/** Whether a header block has room for a path and a link. */
function isShort(path: Uint8Array, link: Uint8Array): boolean {
  return path.length <= FIELD.name[1] && link.length <= FIELD.link[1];
}

/** Writes a header block with a path that it has room for. */
function putBlock(
  record: FileRecord,
  path: Uint8Array,
  bytes: Uint8Array,
  at: number,
): void {
  putNumbers(record, bytes, at);
  bytes.set(path, at + FIELD.name[0]);
  if (record.link) bytes.set(record.link, at + FIELD.link[0]);
  putChecksum(bytes, at);
}

/** Writes all of a header block but paths and checksum. */
function putNumbers(record: FileRecord, bytes: Uint8Array, at: number): void {
  const size = record.kind === "file" ? record.size : 0;
  putNumber(bytes, FIELD.mode, record.mode, at);
  putNumber(bytes, FIELD.uid, record.uid, at);
  putNumber(bytes, FIELD.gid, record.gid, at);
  putNumber(bytes, FIELD.size, size, at);
  putNumber(bytes, FIELD.mtime, record.seconds, at);
  bytes[at + FIELD.type[0]] = FLAG[record.kind][0].charCodeAt(0);
  bytes.set(MAGIC, at + FIELD.magic[0]);
  putNumber(bytes, FIELD.devmajor, record.major, at);
  putNumber(bytes, FIELD.devminor, record.minor, at);
}

/** The size in bytes of what {@linkcode fileHeader} makes of a file. */
export function fileHeaderSize(list: FileList, slot: number): number {
  const path = list.pathLength(slot);
  const slash = list.kind(slot) === "directory" ? 1 : 0;
  if (
    path + slash > FIELD.name[1] || list.linkLength(slot) > FIELD.link[1]
  ) return fileHeader(list.record(slot)).length;
  // The records of numbers have room in one block.
  return needsRecords(list.numbers(slot)) ? 3 * BLOCK : BLOCK;
}

// A power costs a call each time.
const MAX_ID = 8 ** 7;
const MAX_NUMBER = 8 ** 11;

/** Whether a header block cannot say all, but for paths. */
export function needsRecords(file: FileNumbers): boolean {
  return file.nanoseconds > 0 || hasLargeNumbers(file);
}

/** Whether it cannot, even if the time had no fraction. */
function hasLargeNumbers(file: FileNumbers): boolean {
  return file.seconds < 0 || file.seconds >= MAX_NUMBER ||
    file.uid >= MAX_ID || file.gid >= MAX_ID || file.size >= MAX_NUMBER ||
    file.records !== undefined;
}

/** What the header block itself cannot say, but for paths. */
function paxRecords(record: FileNumbers): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (const key of ["uid", "gid", "size"] as const) {
    if (record[key] < 8 ** (FIELD[key][1] - 1)) continue;
    records.push([key, ascii(`${record[key]}`)]);
  }
  const { seconds, nanoseconds } = record;
  if (nanoseconds > 0 || seconds < 0 || seconds >= MAX_NUMBER) {
    records.push(["mtime", ascii(paxTime(record))]);
  }
  if (record.records) records.push(...record.records);
  return records;
}

/** Header blocks of PAX headers by their size: files have few different ones. */
const paxBlocks = new Map<number, Uint8Array>();

function paxBlock(records: PaxRecord[], size: number): Uint8Array {
  let block = paxBlocks.get(size);
  if (!block) {
    [block] = paxEntry(records) as [Uint8Array, Uint8Array];
    paxBlocks.set(size, block);
  }
  return block;
}

/** A time as a decimal fraction without zeros at its end. */
function paxTime({ seconds, nanoseconds }: FileNumbers): string {
  const negative = seconds < 0;
  // The whole seconds were rounded down; a fraction counts away from zero.
  const borrow = negative && nanoseconds > 0;
  const whole = negative ? -seconds - (borrow ? 1 : 0) : seconds;
  const parts = borrow ? 1e9 - nanoseconds : nanoseconds;
  const fraction = parts === 0
    ? ""
    : `.${String(parts).padStart(9, "0").replace(/0+$/, "")}`;
  return `${negative ? "-" : ""}${whole}${fraction}`;
}
