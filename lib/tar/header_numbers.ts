import { InputError } from "../errors/input_error.ts";
import { type Dialect, FIELD, type Field, numberField } from "./block.ts";
import { MAX_ID } from "./pax.ts";

/**
 * The size that a header block says, in bytes.
 *
 * @throws {InputError} If readers do not agree on it.
 */
export function sizeOf(bytes: Uint8Array, header: number): number {
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
 * Checks the numbers of a header block. Go's reader, which most engines use,
 * rejects a header for any of these; for GNU's times it takes a field that is no
 * number as the start of a path.
 *
 * @throws {InputError} If readers do not agree on one.
 */
export function checkNumbers(
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
