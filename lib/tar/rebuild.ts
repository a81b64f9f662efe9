import { ascii, concat, isUtf8 } from "../streams/bytes.ts";
import {
  BLOCK,
  type Dialect,
  FIELD,
  type Field,
  padded,
  putChecksum,
  putNumber,
  putText,
} from "./block.ts";
import type { Entry } from "./entry.ts";
import { settleNumbers } from "./header_numbers.ts";
import { formatPax, type Globals, isTakenBack, type PaxRecord } from "./pax.ts";

/** Where an entry goes in the archive being written. */
export interface Target {
  /** Its path there; a directory's ends with a slash. */
  path: Uint8Array;
  /** A link's target there. */
  link?: Uint8Array;
  /** Makes the entry a hard link or an empty file, whatever it was. */
  as?: "hardlink" | "file";
  /** Whether the entry loses a PAX record, by its keyword. */
  without?: (key: string) => boolean;
}

const SLASH = 0x2f;

/**
 * Moves an entry by changing its main header block where it is, if the block has
 * room for the new path and no extension header needs a change.
 *
 * @param bytes The buffer that the entry was read from. Changed if that worked.
 * @param dry Only says whether it works.
 * @returns Whether it worked; if not, {@linkcode rebuild} is needed.
 */
export function patch(
  bytes: Uint8Array,
  entry: Entry,
  target: Target,
  dry = false,
): boolean {
  if (
    entry.longName || entry.longLink || entry.sparse || entry.odd ||
    target.as
  ) return false;
  if (entry.records.length > 0 && !canStay(entry, target)) return false;
  const { header, dialect } = entry;
  if (target.link && target.link.length > FIELD.link[1]) return false;
  const split = splitPath(target.path, dialect);
  if (split === undefined) return false;
  if (dry) return true;
  normalizeHeader(bytes, header, entry, target);
  putSplit(bytes, header, dialect, target.path, split);
  if (target.link) putText(bytes, FIELD.link, target.link, header);
  putChecksum(bytes, header);
  return true;
}

/** Whether an entry's records are right for another place too. */
function canStay({ records, kind }: Entry, { without }: Target): boolean {
  return records.every(([key]) =>
    !without?.(key) && key !== "path" && key !== "linkpath" &&
    (key !== "size" || kind === "file") && !key.startsWith("GNU.sparse.")
  );
}

/**
 * Writes an entry's header blocks anew for another place: extension headers,
 * the main header, no sparse map, and nothing that readers disagree on.
 *
 * A path too long for the header goes where the entry had a long one before
 * (PAX record or GNU long name); else to a PAX record, or to a GNU long name
 * when the archive is a GNU one or the path is not UTF-8, which PAX requires.
 *
 * @param bytes The buffer that the entry was read from. Not changed.
 * @param globals Records of PAX global headers, which go into the entry's own.
 * @returns New header blocks, a multiple of 512 bytes.
 */
export function rebuild(
  bytes: Uint8Array,
  entry: Entry,
  globals: Globals,
  target: Target,
): Uint8Array {
  const block = bytes.slice(entry.header, entry.header + BLOCK);
  const records = recordsFor(entry, globals, target);
  const header = { block, records, before: [], entry };
  if (entry.odd) {
    settleNumbers(block);
    clearPrefix(block, entry.dialect);
  }
  normalizeHeader(block, 0, entry, target);
  putLong(header, PATH, target.path, entry.longName);
  // A symlink's target stays, but its long link name must be written again.
  const link = target.link ?? (entry.longLink ? entry.link : undefined);
  if (link) putLong(header, LINK, link, entry.longLink);
  putChecksum(block);
  const pax = records.size > 0
    ? paxEntry(
      records,
      entry.pax < 0 ? undefined : bytes.slice(entry.pax, entry.pax + BLOCK),
    )
    : [];
  return concat([...header.before, ...pax, block]);
}

/** The PAX records that an entry gets: those in force, without what is settled. */
function recordsFor(
  entry: Entry,
  globals: Globals,
  target: Target,
): Map<string, Uint8Array> {
  const records = new Map<string, Uint8Array>(globals);
  // A repeated keyword's last value counts (POSIX.1-2017 pax).
  for (const [key, value] of entry.records) {
    records.delete(key);
    if (!isTakenBack([key, value])) records.set(key, value);
  }
  for (const key of [...records.keys()]) {
    if (
      key.startsWith("GNU.sparse.") || target.without?.(key) ||
      (entry.odd && key === "SCHILY.realsize")
    ) records.delete(key);
  }
  if (target.as || entry.sparse || entry.kind !== "file") {
    records.delete("size");
  }
  return records;
}

/** Header blocks in the making. */
interface NewHeader {
  /** The main header block. */
  block: Uint8Array;
  /** What goes into the PAX header. */
  records: Map<string, Uint8Array>;
  /** Gets GNU long names. */
  before: Uint8Array[];
  entry: Entry;
}

/** A name that a header block may have no room for. */
interface LongField {
  /** Keyword of the PAX record for it. */
  key: "path" | "linkpath";
  field: Field;
  /** Type flag of the GNU long name for it. */
  type: "L" | "K";
}

const PATH: LongField = { key: "path", field: FIELD.name, type: "L" };
const LINK: LongField = { key: "linkpath", field: FIELD.link, type: "K" };

/** Writes a path or a link's target to where it has room. */
function putLong(
  { block, records, before, entry }: NewHeader,
  { key, field, type }: LongField,
  value: Uint8Array,
  wasLong: boolean,
): void {
  const { dialect } = entry;
  if (records.has(key)) records.set(key, value);
  else if (!wasLong && fits(block, key, value, dialect)) return;
  else if (
    wasLong || (dialect === "gnu" && entry.pax < 0) || !isUtf8(value)
  ) before.push(longEntry(type, value));
  else records.set(key, value);
  // Readers that know no extensions see the start of it.
  putText(block, field, value);
  if (key === "path" && dialect !== "gnu") clearPrefix(block, dialect);
}

/** Writes a name into a header block's own fields, if they have room. */
function fits(
  block: Uint8Array,
  key: "path" | "linkpath",
  value: Uint8Array,
  dialect: Dialect,
): boolean {
  if (key === "linkpath") {
    if (value.length > FIELD.link[1]) return false;
    putText(block, FIELD.link, value);
    return true;
  }
  const split = splitPath(value, dialect);
  if (split === undefined) return false;
  putSplit(block, 0, dialect, value, split);
  return true;
}

/** Brings what engines reject in a main header block to what they take. */
function normalizeHeader(
  block: Uint8Array,
  at: number,
  entry: Entry,
  target: Target,
): void {
  if (entry.dialect === "v7") {
    // rkt takes no header without ustar's magic; what follows it is undefined.
    block.fill(0, at + 257, at + BLOCK);
    putText(block, FIELD.magic, ascii("ustar\x0000"), at);
    putNumber(block, FIELD.devmajor, 0, at);
    putNumber(block, FIELD.devminor, 0, at);
  }
  if (target.as === "file") {
    block[at + 156] = 0x30;
    putNumber(block, FIELD.size, 0, at);
    putNumber(block, FIELD.devmajor, 0, at);
    putNumber(block, FIELD.devminor, 0, at);
  } else if (target.as === "hardlink" || entry.kind === "hardlink") {
    block[at + 156] = 0x31;
    putNumber(block, FIELD.size, 0, at);
  } else if (entry.kind === "file") {
    // Contiguous and sparse files become plain ones, which all readers take.
    block[at + 156] = 0x30;
    if (entry.sparse) putNumber(block, FIELD.size, entry.size, at);
    if (entry.flag === 0x53) block.fill(0, at + 386, at + 495);
  } else if (entry.kind === "directory") block[at + 156] = 0x35;
  if (entry.odd && entry.kind !== "file") putNumber(block, FIELD.size, 0, at);
}

/** Where a path can be split for name and prefix; -1 for no split at all. */
function splitPath(path: Uint8Array, dialect: Dialect): number | undefined {
  const [, name] = FIELD.name;
  if (path.length <= name) return -1;
  if (dialect === "gnu") return undefined;
  const prefix = dialect === "star" ? 130 : FIELD.prefix[1];
  // The slash at a directory's end is no place to split at.
  let at = Math.min(prefix, path.length - 2);
  while (at > 0 && path[at] !== SLASH) at--;
  return at > 0 && path.length - at - 1 <= name ? at : undefined;
}

function putSplit(
  block: Uint8Array,
  at: number,
  dialect: Dialect,
  path: Uint8Array,
  split: number,
): void {
  if (dialect !== "gnu") clearPrefix(block, dialect, at);
  const name = split < 0 ? path : path.subarray(split + 1);
  putText(block, FIELD.name, name, at);
  if (split > 0) block.set(path.subarray(0, split), at + FIELD.prefix[0]);
}

/** Clears the prefix: where GNU has times, and star has times after it. */
function clearPrefix(block: Uint8Array, dialect: Dialect, at = 0): void {
  const [offset, length] = FIELD.prefix;
  const size = dialect === "star" ? 131 : dialect === "gnu" ? 24 : length;
  block.fill(0, at + offset, at + offset + size);
}

/** A header block for an extension header without a size. */
function sizelessBlock(name: string, type: string): Uint8Array {
  const block = new Uint8Array(BLOCK);
  putText(block, FIELD.name, ascii(name));
  for (const field of [FIELD.uid, FIELD.gid, FIELD.mtime] as const) {
    putNumber(block, field, 0);
  }
  putNumber(block, FIELD.mode, 0o644);
  block[FIELD.type[0]] = type.charCodeAt(0);
  putText(
    block,
    FIELD.magic,
    ascii(type === "x" ? "ustar\x0000" : "ustar  \x00"),
  );
  return block;
}

/** Header blocks of extension headers by type. */
const SIZELESS = {
  L: sizelessBlock("././@LongLink", "L"),
  K: sizelessBlock("././@LongLink", "K"),
  x: sizelessBlock("././@PaxHeader", "x"),
};

/** Puts a header block for an extension header, the same for the same size. */
function putExtension(
  bytes: Uint8Array,
  type: keyof typeof SIZELESS,
  size: number,
): void {
  bytes.set(SIZELESS[type]);
  putNumber(bytes, FIELD.size, size);
  putChecksum(bytes);
}

/** A GNU long name or long link name (GNU tar manual, "GNU format"). */
function longEntry(type: "L" | "K", value: Uint8Array): Uint8Array {
  // The terminating NUL counts.
  const size = value.length + 1;
  const whole = new Uint8Array(BLOCK + padded(size));
  putExtension(whole, type, size);
  whole.set(value, BLOCK);
  return whole;
}

/** A PAX header with these records, in the given header block if there is one. */
export function paxEntry(
  records: Iterable<PaxRecord>,
  block?: Uint8Array,
): Uint8Array[] {
  const data = formatPax(records);
  if (block) {
    putNumber(block, FIELD.size, data.length);
    // Solaris's "X" is the same, but few readers know it.
    block[FIELD.type[0]] = 0x78;
    putChecksum(block);
  } else {
    block = new Uint8Array(BLOCK);
    putExtension(block, "x", data.length);
  }
  const whole = new Uint8Array(padded(data.length));
  whole.set(data);
  return [block, whole];
}
