import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { concat } from "../streams/bytes.ts";
import {
  BLOCK,
  checksumMatches,
  type Dialect,
  dialectOf,
  FIELD,
  isZeroBlock,
  padded,
  textField,
} from "./block.ts";
import { checkNumbers, sizeOf } from "./header_numbers.ts";
import { TYPE } from "./kind.ts";
import { MAX_PAX, parsePax, type PaxRecord } from "./pax.ts";

/** Largest GNU long name taken, in bytes. */
const MAX_LONG = 1 << 16;

/** What the extension headers in front of a main header say. */
export interface Extensions {
  /** Where the main header block is. */
  header: number;
  /** The PAX header's records, in order. */
  records: PaxRecord[];
  /** Where the PAX header block is, or -1. */
  pax: number;
  /** What a GNU long name says. */
  longName?: Uint8Array;
  /** What a GNU long link name says. */
  longLink?: Uint8Array;
}

/** A PAX global header: its records hold for all entries after it. */
export interface GlobalHeader {
  start: number;
  end: number;
  globals: readonly PaxRecord[];
}

/** What is at a place in a tar, if no entry is. */
export type NoEntry =
  /** A block of zeros: the archive's end, or part of it. */
  | "zero"
  /** A block that is no header. */
  | "junk"
  /** The buffer ends before the entry's last header block. */
  | "more";

/**
 * Reads the extension headers of the entry at `at`, and finds its main header.
 *
 * @param bytes A part of a tar; `at` is a block boundary in it.
 * @throws {InputError} If a header block breaks the format's rules, or readers
 * would disagree on what it means.
 */
export function readExtensions(
  bytes: Uint8Array,
  at: number,
): Extensions | GlobalHeader | NoEntry {
  const found: Extensions = { header: at, records: [], pax: -1 };
  for (;;) {
    const block = found.header;
    const none = checkBlock(bytes, block, block === at);
    if (none) return none;
    const flag = bytes[block + 156]!;
    if (!isExtension(flag)) return found;
    const size = extensionSize(bytes, block, flag);
    const start = block + BLOCK;
    const next = start + padded(size);
    if (next > bytes.length) return "more";
    const data = bytes.subarray(start, start + size);
    if (flag === TYPE.global) {
      if (block === at) {
        return { start: at, end: next, globals: parsePax(data) };
      }
      throw new InputError(
        "A PAX global header stands inside an entry's headers",
      );
    }
    if (flag === TYPE.pax) {
      if (found.pax >= 0) throw repeated("PAX header");
      found.pax = block;
      // The main header names the entry, should the records be wrong.
      if (next + BLOCK > bytes.length) return "more";
      found.records = recordsOf(data, bytes, next);
    } else if (flag === TYPE.longName) {
      if (found.longName) throw repeated("GNU long name");
      found.longName = untilNul(data);
    } else {
      if (found.longLink) throw repeated("GNU long link name");
      found.longLink = untilNul(data);
    }
    found.header = next;
  }
}

/** Tells whether a block is there and is a header. */
function checkBlock(
  bytes: Uint8Array,
  block: number,
  isFirst: boolean,
): NoEntry | undefined {
  if (block + BLOCK > bytes.length) return "more";
  if (bytes[block] === 0 && isZeroBlock(bytes, block)) {
    if (isFirst) return "zero";
    throw new InputError("An extension header stands before no entry");
  }
  if (!checksumMatches(bytes, block)) {
    if (isFirst) return "junk";
    throw new InputError("Bad header checksum behind an extension header");
  }
  return undefined;
}

function isExtension(flag: number): boolean {
  return flag === TYPE.pax || flag === TYPE.global ||
    flag === TYPE.longName || flag === TYPE.longLink;
}

/** Size of an extension header's data in bytes. */
function extensionSize(
  bytes: Uint8Array,
  block: number,
  flag: number,
): number {
  checkNumbers(bytes, block, dialectOf(bytes, block));
  const size = sizeOf(bytes, block);
  const limit = flag === TYPE.pax || flag === TYPE.global ? MAX_PAX : MAX_LONG;
  if (size > limit) {
    throw new InputError(
      `An extension header of ${size} bytes; at most ${limit} are taken`,
    );
  }
  return size;
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

/** The path in a header block's own fields. */
export function headerPath(
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

function untilNul(data: Uint8Array): Uint8Array {
  const nul = data.indexOf(0);
  return nul < 0 ? data : data.subarray(0, nul);
}

function repeated(what: string): InputError {
  return new InputError(`An entry has more than one ${what}`);
}
