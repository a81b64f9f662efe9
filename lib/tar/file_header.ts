import { ascii, concat } from "../bytes.ts";
import type { FileKind, FileRecord } from "../file_list.ts";
import {
  BLOCK,
  FIELD,
  type Field,
  putChecksum,
  putNumber,
  putText,
} from "./block.ts";
import type { Entry, Kind } from "./entry.ts";
import type { PaxRecord } from "./pax.ts";
import { rebuild } from "./rebuild.ts";

const EMPTY = new Uint8Array(0);
const NO_GLOBALS: ReadonlyMap<string, Uint8Array> = new Map();
const ROOT = ascii("./");
const SLASH = Uint8Array.of(0x2f);

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
 * are too large for ustar stand in the header as well, in GNU's way, for readers
 * that know no PAX. A long name that is not UTF-8, which PAX forbids, becomes a
 * GNU long name.
 *
 * The names of user and group stay empty: they depend on the machine.
 *
 * @returns A multiple of 512 bytes, the same for the same record.
 */
export function fileHeader(record: FileRecord): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const [flag, kind] = FLAG[record.kind];
  const size = record.kind === "file" ? record.size : 0;
  const records: PaxRecord[] = [];
  const put = (key: string, field: Field, value: number) => {
    putNumber(block, field, value);
    if (value >= 8 ** (field[1] - 1)) records.push([key, ascii(`${value}`)]);
  };
  putNumber(block, FIELD.mode, record.mode);
  put("uid", FIELD.uid, record.uid);
  put("gid", FIELD.gid, record.gid);
  put("size", FIELD.size, size);
  putNumber(block, FIELD.mtime, record.seconds);
  if (
    record.nanoseconds > 0 || record.seconds < 0 || record.seconds >= 8 ** 11
  ) records.push(["mtime", ascii(paxTime(record))]);
  block[FIELD.type[0]] = flag.charCodeAt(0);
  putText(block, FIELD.magic, ascii("ustar\x0000"));
  putNumber(block, FIELD.devmajor, record.major);
  putNumber(block, FIELD.devminor, record.minor);
  putChecksum(block);
  const entry: Entry = {
    start: 0,
    end: BLOCK,
    header: 0,
    kind,
    flag: flag.charCodeAt(0),
    dialect: "ustar",
    path: EMPTY,
    link: EMPTY,
    size,
    stored: size,
    records,
    pax: -1,
    longName: false,
    longLink: false,
  };
  return rebuild(block, entry, NO_GLOBALS, {
    path: record.path.length === 0
      ? ROOT
      : record.kind === "directory"
      ? concat([record.path, SLASH])
      : record.path,
    ...(record.link && { link: record.link }),
  });
}

/** A time as a decimal fraction without zeros at its end. */
function paxTime({ seconds, nanoseconds }: FileRecord): string {
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
