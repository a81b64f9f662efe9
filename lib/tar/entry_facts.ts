import { asciiText } from "../streams/bytes.ts";
import { FIELD, numberField } from "./block.ts";
import type { Entry, Kind } from "./entry.ts";
import { type Globals, paxNumber } from "./pax.ts";

/** The type of a file. */
export type FileType =
  | Exclude<Kind, "device" | "label">
  | "character-device"
  | "block-device";

/** What an entry's header blocks say of its file, whatever their dialect. */
export interface EntryFacts {
  type: FileType;
  /** Permission bits, set-user-ID and the like among them. */
  mode: number;
  uid: number;
  gid: number;
  /** Size of the contents in bytes, holes included; 0 of all but files. */
  size: number;
  /** Seconds since 1970, rounded down. */
  mtime: number;
  /** Nanoseconds that come on top. */
  nanoseconds: number;
  /** A link's target as it is written; empty for all others. */
  link: Uint8Array;
  /** Device number; set for devices only. */
  device?: { major: number; minor: number };
  /** Extended attributes by name. */
  xattrs: ReadonlyMap<string, Uint8Array>;
}

const XATTR = "SCHILY.xattr.";
const NONE: ReadonlyMap<string, Uint8Array> = new Map();
const NO_LINK = new Uint8Array(0);

/** An entry, the buffer that it is in, and the global headers that hold for it. */
export interface ReadEntry {
  bytes: Uint8Array;
  entry: Entry;
  globals: Globals;
}

/**
 * Reads what an entry says of its file.
 *
 * @param read The entry. The result holds views of its buffer.
 * @returns The facts, or `undefined` of a volume label, which is no file.
 */
export function entryFacts(
  { entry, bytes, globals }: ReadEntry,
): EntryFacts | undefined {
  const { header, kind } = entry;
  if (kind === "label") return undefined;
  const number = (field: readonly [number, number]) =>
    numberField(bytes, field, header) ?? 0;
  const facts: EntryFacts = {
    type: typeOf(entry),
    mode: number(FIELD.mode) & 0o7777,
    uid: number(FIELD.uid),
    gid: number(FIELD.gid),
    size: kind === "file" ? entry.size : 0,
    mtime: number(FIELD.mtime),
    nanoseconds: 0,
    link: kind === "symlink" || kind === "hardlink" ? entry.link : NO_LINK,
    xattrs: NONE,
  };
  if (kind === "device") {
    facts.device = {
      major: number(FIELD.devmajor),
      minor: number(FIELD.devminor),
    };
  }
  if (globals.size > 0 || entry.records.length > 0) {
    takeRecords(facts, [...globals, ...entry.records]);
  }
  return facts;
}

function typeOf({ kind, flag }: Entry): FileType {
  if (kind !== "device") return kind as FileType;
  return flag === 0x33 ? "character-device" : "block-device";
}

function takeRecords(
  facts: EntryFacts,
  records: readonly (readonly [string, Uint8Array])[],
): void {
  let xattrs: Map<string, Uint8Array> | undefined;
  for (const [key, value] of records) {
    if (key === "uid") facts.uid = paxNumber(value) ?? facts.uid;
    else if (key === "gid") facts.gid = paxNumber(value) ?? facts.gid;
    else if (key === "mtime") takeTime(facts, value);
    else if (key.startsWith(XATTR)) {
      xattrs ??= new Map();
      xattrs.set(key.slice(XATTR.length), value);
    }
  }
  if (xattrs) facts.xattrs = xattrs;
}

/** A PAX time: decimal seconds, which no double holds to the nanosecond. */
function takeTime(facts: EntryFacts, value: Uint8Array): void {
  const [, sign, whole, fraction = ""] =
    /^(-?)(\d+)(?:\.(\d*))?$/.exec(asciiText(value)) ?? [];
  if (whole === undefined) return;
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, "0"));
  const seconds = Number(whole);
  if (sign === "-" && nanoseconds > 0) {
    facts.mtime = -seconds - 1;
    facts.nanoseconds = 1e9 - nanoseconds;
    return;
  }
  facts.mtime = sign === "-" ? -seconds : seconds;
  facts.nanoseconds = nanoseconds;
}
