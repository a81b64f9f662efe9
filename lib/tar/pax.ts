import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import { ascii, concat } from "../streams/bytes.ts";

/** One PAX record: a keyword and its value, which need not be UTF-8. */
export type PaxRecord = readonly [key: string, value: Uint8Array];

/** Records of PAX global headers, one for each keyword. */
export type Globals = ReadonlyMap<string, Uint8Array>;

/** The records where there is no PAX header. */
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
  for (let at = 0; at < data.length;) {
    const { start, end } = recordAt(data, at);
    const equals = data.indexOf(0x3d, start);
    if (equals < 0 || equals >= end || equals === start) {
      throw new InputError(
        `The PAX record ${excerpt(data, at)} has no keyword`,
      );
    }
    const key = keyword(data, start, equals);
    const value = data.subarray(equals + 1, end - 1);
    checkRecord(key, value);
    records.push([key, value]);
    at = end;
  }
  return records;
}

/**
 * A record's keyword. Those of nearly all records are known ones: to decode these
 * over and over would take most of the time.
 */
function keyword(data: Uint8Array, start: number, end: number): string {
  for (const known of USUAL) {
    let i = known.length;
    if (i !== end - start) continue;
    while (i > 0 && data[start + i - 1] === known.charCodeAt(i - 1)) i--;
    if (i === 0) return known;
  }
  return latin1.decode(data.subarray(start, end));
}

/** Finds where a record's keyword starts and where the record ends. */
function recordAt(
  data: Uint8Array,
  at: number,
): { start: number; end: number } {
  let length = 0;
  let i = at;
  for (; i < data.length && data[i] !== 0x20; i++) {
    const digit = data[i]! - 0x30;
    length = length * 10 + digit;
    if (digit < 0 || digit > 9 || length > MAX_PAX || i - at > 20) {
      throw new InputError(
        `The PAX record ${excerpt(data, at)} has no valid length`,
      );
    }
  }
  const end = at + length;
  if (i === at || end > data.length || end < i + 4) {
    throw new InputError(
      `The length of the PAX record ${
        excerpt(data, at)
      } (${length}) does not ` +
        "match its header",
    );
  }
  if (data[end - 1] !== 0x0a) {
    throw new InputError(
      `The PAX record ${excerpt(data, at)} does not end where its length says`,
    );
  }
  return { start: i + 1, end };
}

/** The start of a record, for a message. */
function excerpt(data: Uint8Array, at: number): string {
  return shown(data.subarray(at, at + 200), 40);
}

/** A form that values must have, for a message too. */
type Form = [form: RegExp, what: string];

const WHOLE: Form = [/^0*\d{1,19}$/, "is no number without a sign"];
const TIME: Form = [/^-?0*\d{1,18}(\.\d*)?$/, "is no time in seconds"];

/** Forms of the values that some readers reject in any other. */
const FORMS = new Map<string, Form>([
  ["size", WHOLE],
  ["uid", WHOLE],
  ["gid", WHOLE],
  ["mtime", TIME],
  ["atime", TIME],
  ["ctime", TIME],
  ["GNU.sparse.major", WHOLE],
  ["GNU.sparse.minor", WHOLE],
  ["GNU.sparse.realsize", WHOLE],
  ["SCHILY.realsize", WHOLE],
]);

/** Keywords that many entries have. */
const USUAL = ["mtime", "atime", "ctime", "path", "linkpath", "uid", "gid"];

/** Whether a value has the form of a time, and no sign. */
function isPlainTime(value: Uint8Array): boolean {
  let point = value.indexOf(0x2e);
  if (point < 0) point = value.length;
  if (point === 0 || point > 18) return false;
  return value.every((byte, at) =>
    at === point || (byte >= 0x30 && byte <= 0x39)
  );
}

/** Names of files: where they are, and where links lead. */
const NAMES = new Set(["path", "linkpath", "GNU.sparse.name"]);

/** Keywords for which an empty value means that the header's value counts. */
const EMPTIED = new Set([
  ...["size", "uid", "gid", "mtime", "atime", "ctime"],
  ...["path", "linkpath", "uname", "gname", "hdrcharset"],
]);

/**
 * Whether a record takes back what a global header says, or means nothing:
 * POSIX and Go's reader know that, GNU tar takes an empty name for a name.
 */
export function isTakenBack([key, value]: PaxRecord): boolean {
  return value.length === 0 && EMPTIED.has(key);
}

/** Refuses values that readers reject, so that no engine meets them later. */
function checkRecord(key: string, value: Uint8Array): void {
  if (isTakenBack([key, value])) return;
  const says = () => `The PAX record ${shown(key)} says ${shown(value, 40)}`;
  const form = FORMS.get(key);
  if (form) {
    if (form === TIME && isPlainTime(value)) return;
    const text = latin1.decode(value);
    if (!form[0].test(text)) {
      throw new InputError(`${says()}, which ${form[1]}`);
    }
    if (key.endsWith("id") && Number(text) > MAX_ID) {
      throw new InputError(`${says()}; Linux takes 0 to ${MAX_ID}`);
    }
    return;
  }
  const isName = NAMES.has(key);
  if (isName && value.length === 0) {
    throw new InputError(`The PAX record ${shown(key)} is empty`);
  }
  const isText = isName || key === "uname" || key === "gname";
  if (isText ? value.includes(0) : key.includes("\0")) {
    throw new InputError(`${says()}: it holds a NUL`);
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
