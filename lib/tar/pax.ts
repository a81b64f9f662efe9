import { ascii, concat } from "../bytes.ts";

/** One PAX record: a keyword and its value, which need not be UTF-8. */
export type PaxRecord = readonly [key: string, value: Uint8Array];

/** Largest PAX header taken, in bytes; the data of real ones is far smaller. */
export const MAX_PAX = 1 << 20;

const latin1 = new TextDecoder("latin1");

/**
 * Reads the records of a PAX header's data
 * (POSIX.1-2017 pax, "pax Extended Header").
 *
 * @param data The header's data, without padding.
 * @returns The records in order, repeated keywords included.
 * @throws {SyntaxError} If a record's length, form or value breaks the rules.
 */
export function parsePax(data: Uint8Array): PaxRecord[] {
  const records: PaxRecord[] = [];
  let at = 0;
  while (at < data.length) {
    let length = 0;
    let i = at;
    for (; i < data.length && data[i] !== 0x20; i++) {
      const digit = data[i]! - 0x30;
      if (digit < 0 || digit > 9 || i - at > 8) {
        throw new SyntaxError("A PAX record has no valid length");
      }
      length = length * 10 + digit;
    }
    const end = at + length;
    if (i === at || end > data.length || end < i + 4) {
      throw new SyntaxError(
        `A PAX record's length (${length}) does not match its header`,
      );
    }
    if (data[end - 1] !== 0x0a) {
      throw new SyntaxError("A PAX record does not end where its length says");
    }
    const equals = data.indexOf(0x3d, i + 1);
    if (equals < 0 || equals >= end || equals === i + 1) {
      throw new SyntaxError("A PAX record has no keyword");
    }
    const key = latin1.decode(data.subarray(i + 1, equals));
    const value = data.subarray(equals + 1, end - 1);
    checkRecord(key, value);
    records.push([key, value]);
    at = end;
  }
  return records;
}

/** Refuses values that readers reject, so that no engine meets them later. */
function checkRecord(key: string, value: Uint8Array): void {
  switch (key) {
    case "path":
    case "linkpath":
    case "uname":
    case "gname":
    case "GNU.sparse.name":
      if (value.includes(0)) {
        throw new SyntaxError(`The PAX record "${key}" holds a NUL`);
      }
      return;
    case "size":
      if (value.length > 0 && !/^\d{1,19}$/.test(latin1.decode(value))) {
        throw new SyntaxError(`The PAX record "${key}" is no whole number`);
      }
      return;
    case "uid":
    case "gid":
      if (
        value.length > 0 && (!/^\d{1,10}$/.test(latin1.decode(value)) ||
          Number(latin1.decode(value)) > 0xfffffffe)
      ) {
        throw new SyntaxError(
          `The PAX record "${key}" is no number of Linux's`,
        );
      }
      return;
    case "mtime":
    case "atime":
    case "ctime":
      if (
        value.length > 0 &&
        !/^-?\d{1,18}(\.\d*)?$/.test(latin1.decode(value))
      ) {
        throw new SyntaxError(`The PAX record "${key}" is no time`);
      }
      return;
    default:
      if (key.includes("\0")) {
        throw new SyntaxError("A PAX record's keyword holds a NUL");
      }
  }
}

/**
 * Writes PAX records: the inverse of {@linkcode parsePax}.
 *
 * @returns The header's data, without padding.
 */
export function formatPax(records: Iterable<PaxRecord>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [key, value] of records) {
    // A record's length counts its own digits.
    const rest = key.length + value.length + 3;
    let length = rest + String(rest).length;
    if (String(length).length > String(rest).length) length++;
    parts.push(ascii(`${length} ${key}=`), value, ascii("\n"));
  }
  return concat(parts);
}

/** A PAX value as a number, or `undefined` if there is none. */
export function paxNumber(value: Uint8Array | undefined): number | undefined {
  if (!value || value.length === 0) return undefined;
  return Number(latin1.decode(value));
}
