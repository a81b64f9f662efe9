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
  const path = record.path.length === 0
    ? ROOT
    : record.kind === "directory"
    ? concat([record.path, SLASH])
    : record.path;
  const { link = EMPTY } = record;
  const records = paxRecords(record);
  const pax = records.length > 0 ? formatPax(records) : EMPTY;
  const header = pax.length > 0 ? BLOCK + padded(pax.length) : 0;
  const bytes = new Uint8Array(header + BLOCK);
  if (header > 0) {
    bytes.set(paxBlock(records, pax.length));
    bytes.set(pax, BLOCK);
  }
  const [flag, kind] = FLAG[record.kind];
  const size = record.kind === "file" ? record.size : 0;
  putNumber(bytes, FIELD.mode, record.mode, header);
  putNumber(bytes, FIELD.uid, record.uid, header);
  putNumber(bytes, FIELD.gid, record.gid, header);
  putNumber(bytes, FIELD.size, size, header);
  putNumber(bytes, FIELD.mtime, record.seconds, header);
  bytes[header + FIELD.type[0]] = flag.charCodeAt(0);
  bytes.set(MAGIC, header + FIELD.magic[0]);
  putNumber(bytes, FIELD.devmajor, record.major, header);
  putNumber(bytes, FIELD.devminor, record.minor, header);
  if (path.length <= FIELD.name[1] && link.length <= FIELD.link[1]) {
    bytes.set(path, header + FIELD.name[0]);
    bytes.set(link, header + FIELD.link[0]);
    putChecksum(bytes, header);
    return bytes;
  }
  const entry: Entry = {
    start: 0,
    end: header + BLOCK,
    header,
    kind,
    flag: flag.charCodeAt(0),
    dialect: "ustar",
    path,
    link,
    size,
    stored: size,
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

/** The size in bytes of what {@linkcode fileHeader} makes of a file. */
export function fileHeaderSize(list: FileList, slot: number): number {
  const path = list.pathLength(slot);
  const slash = list.kind(slot) === "directory" ? 1 : 0;
  if (
    path + slash > FIELD.name[1] || list.linkLength(slot) > FIELD.link[1]
  ) return fileHeader(list.record(slot)).length;
  // The records of numbers have room in one block.
  return paxRecords(list.numbers(slot)).length > 0 ? 3 * BLOCK : BLOCK;
}

/** What the header block itself cannot say, but for paths. */
function paxRecords(record: FileNumbers): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (const key of ["uid", "gid", "size"] as const) {
    if (record[key] < 8 ** (FIELD[key][1] - 1)) continue;
    records.push([key, ascii(`${record[key]}`)]);
  }
  const { seconds, nanoseconds } = record;
  if (nanoseconds > 0 || seconds < 0 || seconds >= 8 ** 11) {
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
