import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { BLOCK, dialectOf, FIELD, textField } from "./block.ts";
import type { Entry } from "./entry.ts";
import {
  type Extensions,
  type GlobalHeader,
  type NoEntry,
  readExtensions,
} from "./extensions.ts";
import { type HeaderPath, headerPath } from "./header_path.ts";
import {
  checkedNumbers,
  hasLeftovers,
  plainNumbers,
  sizeOf,
} from "./header_numbers.ts";
import { kindOf, takeNoData } from "./kind.ts";
import {
  type Globals,
  isTakenBack,
  NO_RECORDS,
  paxNumber,
  type PaxRecord,
} from "./pax.ts";
import { readPlainEntry } from "./plain_entry.ts";
import { readSparse } from "./sparse_entry.ts";

/**
 * Reads the header blocks of the entry at `at`: extensions, the main header
 * and a sparse map, whatever dialect they are in.
 *
 * @param bytes A part of a tar; `at` is a block boundary in it.
 * @param globals Records of the PAX global headers before.
 * @throws {InputError} If the header blocks break the format's rules, or
 * readers disagree on what they mean.
 */
export function readEntry(
  bytes: Uint8Array,
  at: number,
  globals: readonly PaxRecord[],
): Entry | GlobalHeader | NoEntry {
  return (globals.length === 0 ? readPlainEntry(bytes, at) : undefined) ??
    readAnyEntry(bytes, at, globals);
}

/** Reads header blocks of any kind, as {@linkcode readEntry} does. */
export function readAnyEntry(
  bytes: Uint8Array,
  at: number,
  globals: readonly PaxRecord[],
): Entry | GlobalHeader | NoEntry {
  const found = readExtensions(bytes, at);
  if (typeof found === "string" || "globals" in found) return found;
  const { records } = found;
  const effective = globals.length > 0 ? [...globals, ...records] : records;
  const values = valuesOf(effective);
  const { path, odd } = pathOf(bytes, found, values);
  try {
    const entry = readMain(bytes, at, found, { path, values });
    if (odd || records.some(isTakenBack)) entry.odd = true;
    if (entry.kind === "file") {
      return readSparse(bytes, entry, effective);
    }
    takeNoData(entry, values);
    if (effective.some(([key]) => key.startsWith("GNU.sparse."))) {
      throw new InputError(`A ${entry.kind} with a sparse map`);
    }
    return entry;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const entry = shown(path);
    throw new InputError(`${error.message} (entry ${entry})`, {
      ...(error.remedy !== undefined && { remedy: error.remedy }),
      entry,
    });
  }
}

/** What records say. A repeated keyword's last value counts (POSIX.1-2017 pax). */
function valuesOf(records: readonly PaxRecord[]): Globals {
  if (records.length === 0) return NO_RECORDS;
  const values = new Map(records);
  for (const record of values) {
    if (isTakenBack(record)) values.delete(record[0]);
  }
  return values;
}

/** An entry's path with all extensions applied. */
function pathOf(
  bytes: Uint8Array,
  { header, longName }: Extensions,
  values: Globals,
): HeaderPath {
  const long = values.get("GNU.sparse.name") ?? values.get("path") ?? longName;
  if (long) return { path: long, odd: false };
  return headerPath(bytes, header, dialectOf(bytes, header));
}

/** Reads a main header, without a sparse map. */
function readMain(
  bytes: Uint8Array,
  start: number,
  { header, pax, records, longName, longLink, odd }: Extensions,
  { path, values }: { path: Uint8Array; values: Globals },
): Entry {
  const dialect = dialectOf(bytes, header);
  const plain = dialect === "star" ? undefined : plainNumbers(bytes, header);
  const { mode, uid, gid, mtime } = plain ??
    checkedNumbers(bytes, header, dialect);
  if (
    (longName && values.has("path")) || (longLink && values.has("linkpath"))
  ) {
    // GNU tar goes by the record, Go's reader by the long name.
    throw new InputError(
      "It has two long names, a GNU one and a PAX record, and readers do not " +
        "agree on which one counts",
    );
  }
  const size = paxNumber(values.get("size")) ?? sizeOf(bytes, header);
  if (!Number.isSafeInteger(size)) {
    throw new InputError(`Absurd size: ${size} bytes`);
  }
  const entry: Entry = {
    start,
    end: header + BLOCK,
    header,
    kind: "file",
    flag: bytes[header + 156]!,
    dialect,
    mode,
    uid,
    gid,
    mtime,
    path,
    link: values.get("linkpath") ?? longLink ??
      textField(bytes, FIELD.link, header),
    size,
    stored: size,
    records,
    pax,
    longName: longName !== undefined,
    longLink: longLink !== undefined,
    odd: odd || !plain && hasLeftovers(bytes, header),
  };
  entry.kind = kindOf(entry);
  return entry;
}
