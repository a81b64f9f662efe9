import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { asciiText, concat } from "../streams/bytes.ts";
import {
  BLOCK,
  checksumMatches,
  type Dialect,
  dialectOf,
  FIELD,
  type Field,
  isZeroBlock,
  numberField,
  padded,
  textField,
} from "./block.ts";
import {
  MAX_ID,
  MAX_PAX,
  NO_RECORDS,
  parsePax,
  paxNumber,
  type PaxRecord,
} from "./pax.ts";
import {
  MAX_SEGMENTS,
  readDataMap,
  readOldGnuMap,
  readPaxMap,
  type SparseMap,
  storedSize,
} from "./sparse.ts";

/** What an entry is, once the dialects' spellings are told apart. */
export type Kind =
  | "file"
  | "directory"
  | "symlink"
  | "hardlink"
  | "device"
  | "fifo"
  /** A GNU volume label: no file at all. */
  | "label";

/** One entry of a tar: its header blocks as they stand, and what they mean. */
export interface Entry {
  /** Where in the buffer its first header block stands. */
  start: number;
  /** Where its header blocks, extensions and sparse map included, end. */
  end: number;
  /** Where the main header block stands. */
  header: number;
  kind: Kind;
  /** The main header block's type flag. */
  flag: number;
  dialect: Dialect;
  /** Its path as written, with all extensions applied. */
  path: Uint8Array;
  /** Its link target as written, with all extensions applied. */
  link: Uint8Array;
  /** Size in bytes of the file's contents. */
  size: number;
  /** Bytes of data that follow its header blocks, without padding. */
  stored: number;
  /** Its own PAX records, in order. Empty if it has no PAX header. */
  records: readonly PaxRecord[];
  /** Where its PAX header block stands, or -1. */
  pax: number;
  /** Whether a GNU long name gave its path. */
  longName: boolean;
  /** Whether a GNU long link gave its link target. */
  longLink: boolean;
  sparse?: SparseMap;
}

/** What stands at a place in a tar. */
export type Item =
  | Entry
  /** A block of zeros: the archive's end, or part of it. */
  | "zero"
  /** A block that is no header. */
  | "junk"
  /** The buffer ends before the entry's last header block. */
  | "more";

/** A PAX global header: its records hold for all entries behind it. */
export interface Globals {
  start: number;
  end: number;
  globals: readonly PaxRecord[];
}

/** Largest GNU long name taken, in bytes. */
const MAX_LONG = 1 << 16;

const TYPE = {
  nul: 0,
  file: 0x30,
  hardlink: 0x31,
  symlink: 0x32,
  char: 0x33,
  block: 0x34,
  directory: 0x35,
  fifo: 0x36,
  contiguous: 0x37,
  sparse: 0x53, // S
  longName: 0x4c, // L
  longLink: 0x4b, // K
  label: 0x56, // V
  pax: 0x78, // x
  global: 0x67, // g
} as const;

/** Type flags that readers know and rootfs archives cannot use, by reason. */
const REFUSED: Record<string, string> = {
  A: "a Solaris access control list",
  D: "a GNU incremental dump's directory",
  E: "a Solaris extended attribute",
  I: "an inode without a name",
  M: "the rest of a file of a multi-volume archive",
  N: "an old GNU long name",
  X: "a Solaris extended header",
};

/**
 * Reads the header blocks of the entry at `at`: extensions, the main header
 * and a sparse map, whatever dialect they are in.
 *
 * @param bytes A part of a tar; `at` is a block boundary in it.
 * @param globals Records of the PAX global headers before.
 * @throws {InputError} If the header blocks break the format's rules, or
 * readers would disagree on what they mean.
 */
export function readEntry(
  bytes: Uint8Array,
  at: number,
  globals: readonly PaxRecord[],
): Item | Globals {
  let block = at;
  let records: PaxRecord[] = [];
  let pax = -1;
  let longName: Uint8Array | undefined;
  let longLink: Uint8Array | undefined;
  for (;;) {
    if (block + BLOCK > bytes.length) return "more";
    const first = block === at;
    if (bytes[block] === 0 && isZeroBlock(bytes, block)) {
      if (first) return "zero";
      throw new InputError("An extension header stands before no entry");
    }
    if (!checksumMatches(bytes, block)) {
      if (first) return "junk";
      throw new InputError("Bad header checksum behind an extension header");
    }
    const flag = bytes[block + 156]!;
    if (
      flag !== TYPE.pax && flag !== TYPE.global && flag !== TYPE.longName &&
      flag !== TYPE.longLink
    ) break;
    checkNumbers(bytes, block, dialectOf(bytes, block));
    const size = sizeOf(bytes, block);
    const limit = flag === TYPE.pax || flag === TYPE.global
      ? MAX_PAX
      : MAX_LONG;
    if (size > limit) {
      throw new InputError(
        `An extension header of ${size} bytes; at most ${limit} are taken`,
      );
    }
    const start = block + BLOCK;
    const next = start + padded(size);
    if (next > bytes.length) return "more";
    const data = bytes.subarray(start, start + size);
    if (flag === TYPE.global) {
      if (!first) {
        throw new InputError(
          "A PAX global header stands inside an entry's headers",
        );
      }
      return { start: at, end: next, globals: parsePax(data) };
    }
    if (flag === TYPE.pax) {
      if (pax >= 0) throw repeated("PAX header");
      pax = block;
      // The main header names the entry, should the records be wrong.
      if (next + BLOCK > bytes.length) return "more";
      records = recordsOf(data, bytes, next);
    } else if (flag === TYPE.longName) {
      if (longName) throw repeated("GNU long name");
      longName = untilNul(data);
    } else {
      if (longLink) throw repeated("GNU long link name");
      longLink = untilNul(data);
    }
    block = next;
  }
  const effective = globals.length > 0 ? [...globals, ...records] : records;
  return readMain(bytes, at, block, pax, records, effective, {
    longName,
    longLink,
  });
}

/** Reads an entry's PAX records; an error names the entry by its main header. */
function recordsOf(
  data: Uint8Array,
  bytes: Uint8Array,
  header: number,
): PaxRecord[] {
  try {
    return parsePax(data);
  } catch (error) {
    if (!(error instanceof InputError) || !checksumMatches(bytes, header)) {
      throw error;
    }
    const path = headerPath(bytes, header, dialectOf(bytes, header));
    throw new InputError(`${error.message} (entry ${shown(path)})`);
  }
}

function readMain(
  bytes: Uint8Array,
  start: number,
  header: number,
  pax: number,
  records: readonly PaxRecord[],
  effective: readonly PaxRecord[],
  { longName, longLink }: { longName?: Uint8Array; longLink?: Uint8Array },
): Entry | "more" {
  const dialect = dialectOf(bytes, header);
  const flag = bytes[header + 156]!;
  // A repeated keyword's last value counts (POSIX.1-2017 pax).
  const values = effective.length > 0 ? new Map(effective) : NO_RECORDS;
  const path = values.get("GNU.sparse.name") ?? values.get("path") ??
    longName ?? headerPath(bytes, header, dialect);
  const link = values.get("linkpath") ?? longLink ??
    textField(bytes, FIELD.link, header);
  try {
    checkNumbers(bytes, header, dialect);
    if (
      (longName && values.has("path")) || (longLink && values.has("linkpath"))
    ) {
      // GNU tar goes by the record, Go's reader by the long name.
      throw new InputError("An entry has two long names");
    }
    const size = paxNumber(values.get("size")) ?? sizeOf(bytes, header);
    if (!Number.isSafeInteger(size)) throw new InputError("Absurd size");
    const entry: Entry = {
      start,
      end: header + BLOCK,
      header,
      kind: "file",
      flag,
      dialect,
      path,
      link,
      size,
      stored: size,
      records,
      pax,
      longName: longName !== undefined,
      longLink: longLink !== undefined,
    };
    entry.kind = kindOf(entry);
    const sparse = effective.some(([key]) => key.startsWith("GNU.sparse."));
    if (entry.kind !== "file") {
      takeNoData(entry);
      if (sparse) throw new InputError(`A ${entry.kind} with a sparse map`);
      return entry;
    }
    return readSparse(
      bytes,
      entry,
      effective,
      sparse && {
        version: [
          values.get("GNU.sparse.major"),
          values.get("GNU.sparse.minor"),
        ]
          .map((number) => number && asciiText(number)).join("."),
        realSize: paxNumber(values.get("GNU.sparse.realsize")),
      },
    );
  } catch (error) {
    if (error instanceof InputError) {
      throw new InputError(`${error.message} (entry ${shown(path)})`);
    }
    throw error;
  }
}

/** Finds a file's sparse map, if it has one, wherever its dialect keeps it. */
function readSparse(
  bytes: Uint8Array,
  entry: Entry,
  effective: readonly PaxRecord[],
  records: { version: string; realSize: number | undefined } | false,
): Entry | "more" {
  if (entry.flag === TYPE.sparse) {
    if (records) throw new InputError("A sparse file has two maps");
    const found = readOldGnuMap(bytes.subarray(entry.header));
    if (!found) return "more";
    entry.end += found.blocks * BLOCK;
    entry.sparse = found.map;
  } else if (!records) return entry;
  else if (records.version === "1.0") {
    const { realSize } = records;
    if (realSize === undefined) {
      throw new InputError("A sparse map has no file size");
    }
    // The map takes whole blocks in front of the data and counts as stored.
    const data = bytes.subarray(entry.end);
    const found = readDataMap(data.subarray(0, padded(entry.stored)), realSize);
    if (!found) {
      if (data.length < padded(entry.stored) && data.length < MAX_MAP) {
        return "more";
      }
      throw new InputError("A sparse map is longer than its file's data");
    }
    entry.end += found.size;
    entry.stored -= found.size;
    entry.sparse = found.map;
  } else if ([".", "0.0", "0.1"].includes(records.version)) {
    entry.sparse = readPaxMap(effective);
  } else {
    throw new InputError(`PAX sparse version ${records.version} is not known`);
  }
  // Without one, some readers take the file for a sparse one, some do not.
  if (!entry.sparse) throw new InputError("A sparse file has no map");
  if (storedSize(entry.sparse) !== entry.stored) {
    throw new InputError(
      "A sparse map's segments do not add up to the data stored",
    );
  }
  entry.size = entry.sparse.realSize;
  return entry;
}

/** Bytes of the longest map taken: 2 numbers of up to 16 digits a segment. */
const MAX_MAP = MAX_SEGMENTS * 34;

/** The path in a header block's own fields. */
function headerPath(
  bytes: Uint8Array,
  header: number,
  dialect: Dialect,
): Uint8Array {
  const name = textField(bytes, FIELD.name, header);
  // GNU keeps times and sparse maps where ustar has the prefix.
  if (dialect === "gnu" || dialect === "v7") return name;
  const prefix = textField(
    bytes,
    dialect === "star" ? [345, 131] : FIELD.prefix,
    header,
  );
  if (prefix.length === 0) return name;
  return concat([prefix, Uint8Array.of(0x2f), name]);
}

function kindOf(entry: Entry): Kind {
  switch (entry.flag) {
    case TYPE.nul:
    case TYPE.file:
    case TYPE.contiguous:
      // Before POSIX a directory was a file whose name ends with a slash.
      if (entry.path.at(-1) !== 0x2f) return "file";
      if (entry.size > 0) {
        throw new InputError("A file's name ends with a slash");
      }
      return "directory";
    case TYPE.sparse:
      return "file";
    case TYPE.hardlink:
      return "hardlink";
    case TYPE.symlink:
      return "symlink";
    case TYPE.char:
    case TYPE.block:
      return "device";
    case TYPE.directory:
      return "directory";
    case TYPE.fifo:
      return "fifo";
    case TYPE.label:
      return "label";
  }
  const letter = String.fromCharCode(entry.flag);
  const reason = REFUSED[letter];
  throw new InputError(
    `Entry type ${JSON.stringify(letter)}${reason ? `, ${reason},` : ""} ` +
      "cannot stand in a rootfs",
  );
}

/** Readers take no data from these, whatever their size field says. */
function takeNoData(entry: Entry): void {
  // A hard link's size tells of its target in old archives; no data follow.
  if (entry.size > 0 && entry.kind !== "hardlink") {
    throw new InputError(
      `A ${entry.kind} that holds data (${entry.size} bytes)`,
    );
  }
  entry.size = 0;
  entry.stored = 0;
}

function sizeOf(bytes: Uint8Array, header: number): number {
  const size = numberField(bytes, FIELD.size, header);
  if (size === undefined || isBlank(bytes, FIELD.size, header)) {
    throw bad("size");
  }
  if (size < 0) throw new InputError(`Negative size (${size})`);
  return size;
}

/** Linux has modes and device numbers of 32 bits. */
const MAX_NUMBER = 0xffffffff;

/** Where the dialects keep the times of access and of change. */
const STAR_TIMES: readonly [Field, Field] = [[476, 12], [488, 12]];
const GNU_TIMES: readonly [Field, Field] = [[345, 12], [357, 12]];

/**
 * Go's reader, which most engines use, rejects a header for any of these; for
 * GNU's times it takes a field that is no number as the start of a path.
 */
function checkNumbers(
  bytes: Uint8Array,
  header: number,
  dialect: Dialect,
): void {
  checkNumber(bytes, FIELD.mode, header, "mode", MAX_NUMBER);
  checkNumber(bytes, FIELD.uid, header, "uid", MAX_ID);
  checkNumber(bytes, FIELD.gid, header, "gid", MAX_ID);
  checkNumber(bytes, FIELD.mtime, header, "mtime");
  // GNU tar rejects these; in the other fields blanks mean zero.
  if (isBlank(bytes, FIELD.mode, header)) throw bad("mode");
  if (isBlank(bytes, FIELD.uid, header)) throw bad("uid");
  if (isBlank(bytes, FIELD.gid, header)) throw bad("gid");
  if (isBlank(bytes, FIELD.mtime, header)) throw bad("mtime");
  if (dialect === "v7") return;
  checkNumber(bytes, FIELD.devmajor, header, "devmajor", MAX_NUMBER);
  checkNumber(bytes, FIELD.devminor, header, "devminor", MAX_NUMBER);
  if (dialect === "ustar") return;
  const [atime, ctime] = dialect === "star" ? STAR_TIMES : GNU_TIMES;
  checkNumber(bytes, atime, header, "atime");
  checkNumber(bytes, ctime, header, "ctime");
  // GNU tar reads a prefix of 155 bytes here, Go one of 131.
  if (dialect === "star" && bytes[header + 475] !== 0) {
    throw bad("prefix");
  }
}

function checkNumber(
  bytes: Uint8Array,
  field: Field,
  header: number,
  name: string,
  largest = Infinity,
): void {
  const value = numberField(bytes, field, header);
  // Only times, those before 1970, are negative.
  const tooSmall = largest < Infinity && value! < 0;
  if (value === undefined || tooSmall || value > largest) throw bad(name);
}

function bad(name: string): InputError {
  return new InputError(`Bad ${name} field`);
}

/** Tells whether a field holds nothing but blanks. */
function isBlank(
  bytes: Uint8Array,
  [offset, length]: Field,
  header: number,
): boolean {
  const start = header + offset;
  for (let i = start; i < start + length; i++) {
    if (bytes[i] !== 0x20) return false;
  }
  return true;
}

function untilNul(data: Uint8Array): Uint8Array {
  const nul = data.indexOf(0);
  return nul < 0 ? data : data.subarray(0, nul);
}

function repeated(what: string): InputError {
  return new InputError(`An entry has more than one ${what}`);
}
