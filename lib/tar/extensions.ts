import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import {
  BLOCK,
  checksumMatches,
  dialectOf,
  isZeroBlock,
  padded,
} from "./block.ts";
import { headerPath } from "./header_path.ts";
import { checkNumbers, sizeOf } from "./header_numbers.ts";
import { TYPE } from "./kind.ts";
import { MAX_PAX, parsePax, type PaxRecord } from "./pax.ts";

const DAMAGED = { remedy: "the tar is damaged, make or fetch it again" };

/** Largest GNU long name taken, in bytes. */
const MAX_LONG = 1 << 16;

/** What the extension headers before a main header say. */
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
  /** Whether readers take some of this for different things. */
  odd: boolean;
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
 * disagree on what it means.
 */
export function readExtensions(
  bytes: Uint8Array,
  at: number,
): Extensions | GlobalHeader | NoEntry {
  const found: Extensions = {
    header: at,
    records: [],
    pax: -1,
    odd: false,
  };
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
        "A PAX global header is between the headers of an entry",
      );
    }
    if (flag === TYPE.longName || flag === TYPE.longLink) {
      takeLong(found, flag, data);
    } else {
      if (found.pax >= 0) throw repeated("PAX header");
      found.pax = block;
      // Go's reader does not know Solaris's.
      if (flag === TYPE.solarisPax) found.odd = true;
      // The main header names the entry if the records are wrong.
      if (next + BLOCK > bytes.length) return "more";
      found.records = recordsOf(data, bytes, next);
    }
    found.header = next;
  }
}

/** Takes a GNU long name or long link name. */
function takeLong(found: Extensions, flag: number, data: Uint8Array): void {
  const nul = data.indexOf(0);
  // Some readers go on to the next NUL, wherever that is.
  if (nul !== data.length - 1) found.odd = true;
  const text = nul < 0 ? data : data.subarray(0, nul);
  // An empty one means nothing to Go's reader, and no name to others.
  if (text.length === 0) found.odd = true;
  if (flag === TYPE.longName) {
    if (found.longName) throw repeated("GNU long name");
    if (text.length > 0) found.longName = text;
  } else {
    if (found.longLink) throw repeated("GNU long link name");
    if (text.length > 0) found.longLink = text;
  }
}

/** Whether a block is there and is a header. */
function checkBlock(
  bytes: Uint8Array,
  block: number,
  isFirst: boolean,
): NoEntry | undefined {
  if (block + BLOCK > bytes.length) return "more";
  if (bytes[block] === 0 && isZeroBlock(bytes, block)) {
    if (isFirst) return "zero";
    throw new InputError("No entry comes after an extension header", DAMAGED);
  }
  if (!checksumMatches(bytes, block)) {
    if (isFirst) return "junk";
    throw new InputError(
      "Bad header checksum after an extension header",
      DAMAGED,
    );
  }
  return undefined;
}

function isExtension(flag: number): boolean {
  return isPax(flag) || flag === TYPE.longName || flag === TYPE.longLink;
}

function isPax(flag: number): boolean {
  return flag === TYPE.pax || flag === TYPE.global || flag === TYPE.solarisPax;
}

/** Size of an extension header's data in bytes. */
function extensionSize(
  bytes: Uint8Array,
  block: number,
  flag: number,
): number {
  checkNumbers(bytes, block, dialectOf(bytes, block));
  const size = sizeOf(bytes, block);
  const limit = isPax(flag) ? MAX_PAX : MAX_LONG;
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
    const { path } = headerPath(bytes, header, dialectOf(bytes, header));
    throw new InputError(`${error.message} (entry ${shown(path)})`);
  }
}

function repeated(what: string): InputError {
  return new InputError(`An entry has more than one ${what}`);
}
