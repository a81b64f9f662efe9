import { wordsOf } from "../streams/words.ts";

/** Size in bytes of a tar block (POSIX.1-2017 pax, "ustar Interchange Format"). */
export const BLOCK = 512;

/** Bytes that `size` bytes of data take in an archive: whole blocks. */
export function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

/** Where a field of the header block is: offset and length in bytes. */
export type Field = readonly [offset: number, length: number];

/** The fields of a header block: ustar's, and GNU's where they differ. */
export const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  link: [157, 100],
  magic: [257, 8],
  uname: [265, 32],
  gname: [297, 32],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
} as const satisfies Record<string, Field>;

/** The dialect that a header block's magic field names. */
export type Dialect = "v7" | "ustar" | "star" | "gnu";

/** Tells a header block's dialect by its magic and version bytes. */
export function dialectOf(block: Uint8Array, at = 0): Dialect {
  // "ustar" in any dialect but v7; what follows it says which.
  if (
    block[at + 257] !== 0x75 || block[at + 258] !== 0x73 ||
    block[at + 259] !== 0x74 || block[at + 260] !== 0x61 ||
    block[at + 261] !== 0x72
  ) return "v7";
  if (block[at + 262] === 0) {
    // star keeps "tar\0" in the last four bytes and shortens the prefix.
    return block[at + 508] === 0x74 && block[at + 509] === 0x61 &&
        block[at + 510] === 0x72 && block[at + 511] === 0
      ? "star"
      : "ustar";
  }
  return block[at + 262] === 0x20 && block[at + 263] === 0x20 &&
      block[at + 264] === 0
    ? "gnu"
    : "v7";
}

/** Whether the block at `at` holds nothing but zero bytes. */
export function isZeroBlock(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + BLOCK; i++) if (bytes[i] !== 0) return false;
  return true;
}

// The fields of each entry are read and written here: destructuring and strings
// would cost more than all the rest.

const EMPTY = new Uint8Array(0);

/** The bytes of a text field, up to its first NUL. A view, not a copy. */
export function textField(
  block: Uint8Array,
  field: Field,
  at = 0,
): Uint8Array {
  const start = at + field[0];
  const limit = start + field[1];
  let end = start;
  while (end < limit && block[end] !== 0) end++;
  return end === start ? EMPTY : block.subarray(start, end);
}

/**
 * Reads a number field as nearly all writers fill it: octal digits, and then
 * nothing but NULs and blanks. All readers agree on such a field.
 *
 * @returns The number, or -1 when the field is another.
 */
export function plainNumber(
  block: Uint8Array,
  field: Field,
  at = 0,
): number {
  const start = at + field[0];
  const end = start + field[1];
  let value = 0;
  let i = start;
  for (; i < end; i++) {
    const digit = block[i]! ^ 0x30;
    if (digit > 7) break;
    value = value * 8 + digit;
  }
  if (i === start) return -1;
  for (; i < end; i++) if (block[i] !== 0 && block[i] !== 0x20) return -1;
  return value;
}

/**
 * Reads a number field: octal digits, or base 256 when the first bit is set.
 *
 * @returns The number, or `undefined` when the field holds something else or a
 * number that no double represents exactly.
 */
export function numberField(
  block: Uint8Array,
  field: Field,
  at = 0,
): number | undefined {
  const plain = plainNumber(block, field, at);
  return plain < 0 ? oddNumber(block, field, at) : plain;
}

/** Reads any number field, as {@linkcode numberField} does. */
export function oddNumber(
  block: Uint8Array,
  [offset, length]: Field,
  at = 0,
): number | undefined {
  let i = at + offset;
  const end = i + length;
  const first = block[i]!;
  if (first & 0x80) {
    // Two's complement, most significant byte first; bit 7 only says that it is
    // base 256.
    const negative = (first & 0x40) !== 0;
    let value = negative ? (first | 0x80) - 0x100 : first & 0x7f;
    for (i++; i < end; i++) {
      value = value * 256 + block[i]!;
      if (!Number.isSafeInteger(value)) return undefined;
    }
    return value;
  }
  while (i < end && block[i] === 0x20) i++;
  // Readers disagree on digits after a NUL.
  if (block[i] === 0) {
    for (; i < end; i++) if (block[i] !== 0 && block[i] !== 0x20) return;
    return 0;
  }
  let last = end;
  while (last > i && (block[last - 1] === 0x20 || block[last - 1] === 0)) {
    last--;
  }
  let value = 0;
  for (; i < last; i++) {
    const digit = block[i]! - 0x30;
    // Some writers leave old bytes after the terminating NUL.
    if (block[i] === 0) break;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  return Number.isSafeInteger(value) ? value : undefined;
}

/**
 * Writes a number field: octal digits and a NUL, or GNU's base 256 where the
 * digits do not fit.
 */
export function putNumber(
  block: Uint8Array,
  field: Field,
  value: number,
  at = 0,
): void {
  const start = at + field[0];
  const last = start + field[1] - 1;
  let rest = value;
  // Most numbers are so small that whole numbers of 32 bits will do.
  if (
    field[1] >= 8 && value >= 0 && value < (field[1] < 12 ? 8 ** 7 : 2 ** 32)
  ) {
    block[last] = 0;
    for (let i = last - 1; i >= start; i--, rest >>>= 3) {
      block[i] = 0x30 + (rest & 7);
    }
    return;
  }
  if (value < 0 || value >= 8 ** (field[1] - 1)) {
    for (let i = last; i >= start; i--) {
      const low = ((rest % 256) + 256) % 256;
      block[i] = low;
      rest = (rest - low) / 256;
    }
    block[start] = block[start]! | 0x80;
    return;
  }
  block[last] = 0;
  for (let i = last - 1; i >= start; i--) {
    const digit = rest % 8;
    block[i] = 0x30 + digit;
    rest = (rest - digit) / 8;
  }
}

/** Writes a text field and fills the rest of it with NULs. */
export function putText(
  block: Uint8Array,
  field: Field,
  value: Uint8Array,
  at = 0,
): void {
  const start = at + field[0];
  const length = field[1];
  const cut = value.length > length ? value.subarray(0, length) : value;
  block.set(cut, start);
  block.fill(0, start + cut.length, start + length);
}

/** The sum of a header block's bytes, the checksum field counted as blanks. */
function sum(block: Uint8Array, at: number): number {
  const words = wordsOf(block, at);
  const total = words
    ? sumOfWords(words, (block.byteOffset + at) >>> 2)
    : sumOfBytes(block, at);
  return total + FIELD.checksum[1] * 0x20;
}

/** The sum without that field, of a block that is read by fours. */
function sumOfWords(words: Uint32Array, first: number): number {
  // Two sums of 16 bits in one number: 256 bytes each cannot overflow them.
  let pair = 0;
  for (let i = first; i < first + BLOCK / 4; i += 2) {
    const one = words[i]!;
    const two = words[i + 1]!;
    // Most of a header is zeros.
    if ((one | two) !== 0) pair = (pair + pairOf(one) + pairOf(two)) | 0;
  }
  const field = first + FIELD.checksum[0] / 4;
  pair = (pair - pairOf(words[field]!) - pairOf(words[field + 1]!)) | 0;
  return (pair & 0xffff) + (pair >>> 16);
}

/** The sums of a four's even and odd bytes, in 16 bits each. */
function pairOf(word: number): number {
  return (word & 0xff00ff) + ((word >>> 8) & 0xff00ff);
}

function sumOfBytes(block: Uint8Array, at: number): number {
  let total = 0;
  for (let i = at; i < at + BLOCK; i++) total += block[i]!;
  for (let i = at + 148; i < at + 156; i++) total -= block[i]!;
  return total;
}

/** Whether a header block's checksum is right. */
export function checksumMatches(block: Uint8Array, at = 0): boolean {
  const stored = numberField(block, FIELD.checksum, at);
  const unsigned = sum(block, at);
  if (stored === unsigned) return true;
  // Some old writers summed signed chars.
  let signed = unsigned;
  for (let i = at; i < at + BLOCK; i++) {
    if (block[i]! > 127 && (i < at + 148 || i >= at + 156)) signed -= 256;
  }
  return stored === signed;
}

/** Writes a header block's checksum field: six digits, a NUL and a blank. */
export function putChecksum(block: Uint8Array, at = 0): void {
  let rest = sum(block, at);
  for (let i = at + 153; i >= at + 148; i--, rest >>>= 3) {
    block[i] = 0x30 + (rest & 7);
  }
  block[at + 154] = 0;
  block[at + 155] = 0x20;
}
