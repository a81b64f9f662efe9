import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { BLOCK, dialectOf, FIELD, textField } from "./block.ts";
import type { Entry } from "./entry.ts";
import {
  type Extensions,
  type GlobalHeader,
  headerPath,
  type NoEntry,
  readExtensions,
} from "./extensions.ts";
import { checkNumbers, sizeOf } from "./header_numbers.ts";
import { kindOf, takeNoData } from "./kind.ts";
import { type Globals, NO_RECORDS, paxNumber, type PaxRecord } from "./pax.ts";
import { readSparse } from "./sparse_entry.ts";

/**
 * Reads the header blocks of the entry at `at`: extensions, the main header
 * and a sparse map, whatever dialect they are in.
 *
 * @param bytes A part of a tar; `at` is a block boundary in it.
 * @param globals Records of the PAX global headers before.
 * @throws {InputError} If the header blocks break the format's rules, or
 * readers would disagree on what they mean.
 */
export function readEntry(
  bytes: Uint8Array,
  at: number,
  globals: readonly PaxRecord[],
): Entry | GlobalHeader | NoEntry {
  const found = readExtensions(bytes, at);
  if (typeof found === "string" || "globals" in found) return found;
  const { records } = found;
  const effective = globals.length > 0 ? [...globals, ...records] : records;
  // A repeated keyword's last value counts (POSIX.1-2017 pax).
  const values = effective.length > 0 ? new Map(effective) : NO_RECORDS;
  const path = pathOf(bytes, found, values);
  try {
    const entry = readMain(bytes, at, found, { path, values });
    if (entry.kind === "file") {
      return readSparse(bytes, entry, effective);
    }
    takeNoData(entry);
    if (effective.some(([key]) => key.startsWith("GNU.sparse."))) {
      throw new InputError(`A ${entry.kind} with a sparse map`);
    }
    return entry;
  } catch (error) {
    if (error instanceof InputError) {
      throw new InputError(`${error.message} (entry ${shown(path)})`);
    }
    throw error;
  }
}

/** An entry's path with all extensions applied. */
function pathOf(
  bytes: Uint8Array,
  { header, longName }: Extensions,
  values: Globals,
): Uint8Array {
  return values.get("GNU.sparse.name") ?? values.get("path") ?? longName ??
    headerPath(bytes, header, dialectOf(bytes, header));
}

/** Reads a main header, without a sparse map. */
function readMain(
  bytes: Uint8Array,
  start: number,
  { header, pax, records, longName, longLink }: Extensions,
  { path, values }: { path: Uint8Array; values: Globals },
): Entry {
  const dialect = dialectOf(bytes, header);
  checkNumbers(bytes, header, dialect);
  if (
    (longName && values.has("path")) || (longLink && values.has("linkpath"))
  ) {
    // GNU tar goes by the record, Go's reader by the long name.
    throw new InputError("An entry has two long names");
  }
  const size = paxNumber(values.get("size")) ?? sizeOf(bytes, header);
  if (!Number.isSafeInteger(size)) throw new InputError("Absurd size");
  const entry: Entry = {
    start,
    end: header + BLOCK,
    header,
    kind: "file",
    flag: bytes[header + 156]!,
    dialect,
    path,
    link: values.get("linkpath") ?? longLink ??
      textField(bytes, FIELD.link, header),
    size,
    stored: size,
    records,
    pax,
    longName: longName !== undefined,
    longLink: longLink !== undefined,
  };
  entry.kind = kindOf(entry);
  return entry;
}
