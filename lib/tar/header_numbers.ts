import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import {
  type Dialect,
  FIELD,
  type Field,
  numberField,
  plainNumber,
  putNumber,
} from "./block.ts";
import type { Entry } from "./entry.ts";
import { MAX_ID } from "./pax.ts";

/** Linux has modes and device numbers of 32 bits. */
const MAX_NUMBER = 0xffffffff;

/** Where star keeps the times of access and of change. */
const STAR_TIMES: readonly [Field, Field] = [[476, 12], [488, 12]];

/** The numbers of all dialects, and the largest that Linux has. */
const NUMBERS: readonly [name: keyof typeof FIELD, largest: number][] = [
  ["mode", MAX_NUMBER],
  ["uid", MAX_ID],
  ["gid", MAX_ID],
  ["mtime", Infinity],
];

/**
 * The size that a header block says, in bytes.
 *
 * @throws {InputError} If readers do not agree on it.
 */
export function sizeOf(bytes: Uint8Array, header: number): number {
  const plain = plainNumber(bytes, FIELD.size, header);
  if (plain >= 0) return plain;
  const size = numberField(bytes, FIELD.size, header);
  if (size === undefined || isBlank(bytes, FIELD.size, header)) {
    throw bad("size", FIELD.size, bytes, header);
  }
  if (size < 0) throw new InputError(`Negative size (${size})`);
  return size;
}

/**
 * Checks the numbers of a header block: Go's reader, which most engines use,
 * rejects a header for any of these.
 *
 * @throws {InputError} If readers do not agree on one.
 */
export function checkNumbers(
  bytes: Uint8Array,
  header: number,
  dialect: Dialect,
): void {
  if (dialect !== "star" && plainNumbers(bytes, header)) return;
  checkEachNumber(bytes, header, dialect);
}

/** Checks numbers of any kind, as {@linkcode checkNumbers} does. */
export function checkEachNumber(
  bytes: Uint8Array,
  header: number,
  dialect: Dialect,
): void {
  for (const [name, largest] of NUMBERS) {
    checkNumber(bytes, FIELD[name], header, name, largest);
    // GNU tar rejects these; in the other fields blanks mean zero.
    if (isBlank(bytes, FIELD[name], header)) {
      throw bad(name, FIELD[name], bytes, header);
    }
  }
  if (dialect === "v7") return;
  checkNumber(bytes, FIELD.devmajor, header, "devmajor", MAX_NUMBER);
  checkNumber(bytes, FIELD.devminor, header, "devminor", MAX_NUMBER);
  if (dialect !== "star") return;
  checkNumber(bytes, STAR_TIMES[0], header, "atime");
  checkNumber(bytes, STAR_TIMES[1], header, "ctime");
}

/**
 * Reads numbers of any kind.
 *
 * @throws {InputError} If readers do not agree on one.
 */
export function checkedNumbers(
  bytes: Uint8Array,
  header: number,
  dialect: Dialect,
): Omit<HeaderNumbers, "size"> {
  checkEachNumber(bytes, header, dialect);
  return {
    mode: numberField(bytes, FIELD.mode, header)!,
    uid: numberField(bytes, FIELD.uid, header)!,
    gid: numberField(bytes, FIELD.gid, header)!,
    mtime: numberField(bytes, FIELD.mtime, header)!,
  };
}

/** The fields whose numbers all readers look at. */
const READ = [FIELD.mode, FIELD.uid, FIELD.gid, FIELD.size, FIELD.mtime];

/** Those of 8 bytes, and their numbers in the newest header. */
const SHORT = [FIELD.mode, FIELD.uid, FIELD.gid];
const short = new Int32Array(SHORT.length);

/** What a header block says in numbers. */
type HeaderNumbers = Pick<Entry, "mode" | "uid" | "gid" | "size" | "mtime">;

/** Used for each header anew: a small object for each would cost time. */
const numbers: HeaderNumbers = { mode: 0, uid: 0, gid: 0, size: 0, mtime: 0 };

/**
 * Reads the numbers that readers look at, if all of them are plain ones: then
 * {@linkcode sizeOf}, {@linkcode checkEachNumber} and {@linkcode hasLeftovers}
 * find nothing at fault, since no field has room for a plain number that is too
 * large. In star's headers they look at more.
 *
 * @returns What they are, good until the next call; `undefined` if one of them needs
 * a closer look.
 */
export function plainNumbers(
  bytes: Uint8Array,
  header: number,
): Readonly<HeaderNumbers> | undefined {
  if (
    !isZeroDevice(bytes, header + FIELD.devmajor[0]) ||
    !isZeroDevice(bytes, header + FIELD.devminor[0])
  ) return undefined;
  // Few calls: each one is compiled for itself.
  for (let i = 0; i < SHORT.length; i++) {
    const value = plainNumber(bytes, SHORT[i]!, header);
    if (value < 0) return undefined;
    short[i] = value;
  }
  numbers.size = plainNumber(bytes, FIELD.size, header);
  numbers.mtime = plainNumber(bytes, FIELD.mtime, header);
  if (numbers.size < 0 || numbers.mtime < 0) return undefined;
  numbers.mode = short[0]!;
  numbers.uid = short[1]!;
  numbers.gid = short[2]!;
  return numbers;
}

/** Whether a device number is zero, or empty, as GNU tar leaves it. */
function isZeroDevice(bytes: Uint8Array, at: number): boolean {
  const end = at + FIELD.devmajor[1];
  while (at < end && bytes[at] === 0x30) at++;
  while (at < end && (bytes[at] === 0 || bytes[at] === 0x20)) at++;
  return at === end;
}

/**
 * Whether old bytes are left after the NUL that ends a number: libarchive
 * takes such a block for no header.
 */
export function hasLeftovers(bytes: Uint8Array, header: number): boolean {
  for (const [offset, length] of READ) {
    const start = header + offset;
    if (bytes[start]! & 0x80) continue;
    // All but a few fields end with their only NUL.
    let at = start;
    while (at < start + length && bytes[at] !== 0) at++;
    for (; at < start + length; at++) {
      if (bytes[at] !== 0 && bytes[at] !== 0x20) return true;
    }
  }
  return false;
}

/** Writes the numbers of a header block anew, as {@linkcode numberField} reads them. */
export function settleNumbers(block: Uint8Array): void {
  for (const field of READ) {
    putNumber(block, field, numberField(block, field) ?? 0);
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
  if (value === undefined) throw bad(name, field, bytes, header);
  // Only times, those before 1970, are negative.
  if ((largest < Infinity && value < 0) || value > largest) {
    throw new InputError(
      `The ${name} field says ${value}; Linux takes 0 to ${largest}`,
    );
  }
}

function bad(
  name: string,
  [offset, length]: Field,
  bytes: Uint8Array,
  header: number,
): InputError {
  const start = header + offset;
  const text = shown(bytes.subarray(start, start + length));
  return new InputError(
    `Bad ${name} field: readers do not agree on the number in ${text}`,
  );
}

/** Whether a field holds nothing but blanks. */
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
