import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import { ascii, concat } from "../streams/bytes.ts";

/** One PAX record: a keyword and its value, which need not be UTF-8. */
export type PaxRecord = readonly [key: string, value: Uint8Array];

/** Records of PAX global headers, one for each keyword. */
export type Globals = ReadonlyMap<string, Uint8Array>;

/** What stands where there is no PAX header. */
export const NO_RECORDS: Globals = new Map();

/** Largest PAX header taken, in bytes; the data of real ones is far smaller. */
export const MAX_PAX = 1 << 20;

/** Linux has numbers of 32 bits, and no user with the largest one. */
export const MAX_ID = 0xfffffffe;

const latin1 = new TextDecoder("latin1");

/**
 * Reads the records of a PAX header's data
 * (POSIX.1-2017 pax, "pax Extended Header").
 *
 * @param data The header's data, without padding.
 * @returns The records in order, repeated keywords included.
 * @throws {InputError} If a record's length, form or value breaks the rules.
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
        throw new InputError("A PAX record has no valid length");
      }
      length = length * 10 + digit;
    }
    const end = at + length;
    if (i === at || end > data.length || end < i + 4) {
      throw new InputError(
        `A PAX record's length (${length}) does not match its header`,
      );
    }
    if (data[end - 1] !== 0x0a) {
      throw new InputError("A PAX record does not end where its length says");
    }
    const equals = data.indexOf(0x3d, i + 1);
    if (equals < 0 || equals >= end || equals === i + 1) {
      throw new InputError("A PAX record has no keyword");
    }
    const key = latin1.decode(data.subarray(i + 1, equals));
    const value = data.subarray(equals + 1, end - 1);
    checkRecord(key, value);
    records.push([key, value]);
    at = end;
  }
  return records;
}

const WHOLE = /^\d{1,19}$/;
const TIME = /^-?\d{1,18}(\.\d*)?$/;

/** Forms of the values that readers reject in any other. */
const FORMS = new Map(Object.entries({
  size: WHOLE,
  uid: WHOLE,
  gid: WHOLE,
  mtime: TIME,
  atime: TIME,
  ctime: TIME,
  "GNU.sparse.major": WHOLE,
  "GNU.sparse.minor": WHOLE,
  "GNU.sparse.realsize": WHOLE,
  // Names in any other would need to be translated, which no engine does.
  hdrcharset: /^(BINARY|ISO-IR 10646 2000 UTF-8)$/,
}));

/** Names of files: where they stand, and where links lead. */
const NAMES = new Set(["path", "linkpath", "GNU.sparse.name"]);

/** Refuses values that readers reject, so that no engine meets them later. */
function checkRecord(key: string, value: Uint8Array): void {
  const form = FORMS.get(key);
  if (form) {
    const text = latin1.decode(value);
    if (!form.test(text) || (key.endsWith("id") && Number(text) > MAX_ID)) {
      throw new InputError(
        `The PAX record ${shown(key)} says ${shown(text)}, ` +
          "which readers do not take",
      );
    }
    return;
  }
  // POSIX lets an empty name take back what a global header says. GNU tar takes
  // it for a name, Go's reader leaves the header's.
  if (NAMES.has(key) && value.length === 0) {
    throw new InputError(`The PAX record ${shown(key)} is empty`);
  }
  const isText = NAMES.has(key) || key === "uname" || key === "gname";
  if (isText ? value.includes(0) : key.includes("\0")) {
    throw new InputError(`The PAX record ${shown(key)} holds a NUL`);
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
