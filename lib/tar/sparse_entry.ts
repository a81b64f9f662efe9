import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { asciiText } from "../streams/bytes.ts";
import { BLOCK, padded } from "./block.ts";
import type { Entry } from "./entry.ts";
import { TYPE } from "./kind.ts";
import { type Globals, paxNumber, type PaxRecord } from "./pax.ts";
import {
  MAX_SEGMENTS,
  readDataMap,
  readOldGnuMap,
  readPaxMap,
  storedSize,
} from "./sparse.ts";

const EMPTY = new Uint8Array(0);
const UNPACK = { remedy: "archive the tree anew with GNU tar, without -S" };

/** Bytes of the longest map taken: 2 numbers of up to 16 digits a segment. */
const MAX_MAP = MAX_SEGMENTS * 34;

/**
 * Finds a file's sparse map, if it has one, wherever its dialect has it.
 *
 * @param bytes The buffer that the entry was read from.
 * @param entry The entry, which gets the map. Its size becomes the file's.
 * @param effective All PAX records that hold for it.
 * @returns The entry, or `"more"` if the buffer ends before the map does.
 * @throws {InputError} If readers do not agree on the file's contents.
 */
export function readSparse(
  bytes: Uint8Array,
  entry: Entry,
  effective: readonly PaxRecord[],
): Entry | "more" {
  checkStar(entry, effective);
  const hasRecords = effective.some(([key]) => key.startsWith("GNU.sparse."));
  if (entry.flag === TYPE.sparse) {
    if (hasRecords) {
      throw new InputError(
        "A sparse file has two maps, an old GNU one and PAX records",
        UNPACK,
      );
    }
    const found = readOldGnuMap(bytes.subarray(entry.header));
    if (!found) return "more";
    entry.end += found.blocks * BLOCK;
    entry.sparse = found.map;
  } else if (!hasRecords) return entry;
  else if (!readPaxSparse(bytes, entry, effective)) return "more";
  // Without one, some readers take the file for a sparse one, some do not.
  if (!entry.sparse) throw new InputError("A sparse file has no map", UNPACK);
  const stored = storedSize(entry.sparse);
  if (stored !== entry.stored) {
    throw new InputError(
      `A sparse map's segments of ${stored} bytes do not add up to the ` +
        `${entry.stored} bytes of data stored`,
      UNPACK,
    );
  }
  entry.size = entry.sparse.realSize;
  return entry;
}

/**
 * Looks for what star has of its own: maps of sparse files that no engine reads,
 * and a size that libarchive takes for the file's.
 */
function checkStar(entry: Entry, effective: readonly PaxRecord[]): void {
  const isOld = entry.flag === TYPE.sparse && entry.dialect !== "gnu";
  if (effective.length === 0 && !isOld) return;
  const values: Globals = new Map(effective);
  const type = asciiText(values.get("SCHILY.filetype") ?? EMPTY);
  if (isOld || type === "sparse") {
    throw new InputError(
      "A sparse file in star's own format, which engines cannot read",
      { remedy: "unpack it with star, and archive the tree with GNU tar -S" },
    );
  }
  const size = paxNumber(values.get("SCHILY.realsize"));
  if (size !== undefined && size !== entry.size) entry.odd = true;
}

/**
 * Reads a map that PAX records hold or announce; false if bytes are missing.
 */
function readPaxSparse(
  bytes: Uint8Array,
  entry: Entry,
  effective: readonly PaxRecord[],
): boolean {
  const values: Globals = new Map(effective);
  const version = ["GNU.sparse.major", "GNU.sparse.minor"]
    .map((key) => asciiText(values.get(key) ?? EMPTY)).join(".");
  if (version === "1.0") {
    return readMapInData(
      bytes,
      entry,
      paxNumber(values.get("GNU.sparse.realsize")),
    );
  }
  if (![".", "0.0", "0.1"].includes(version)) {
    throw new InputError(
      `PAX sparse version ${shown(version)} is not known`,
      UNPACK,
    );
  }
  entry.sparse = readPaxMap(effective);
  return true;
}

/** Reads a map that comes before the data; false if bytes are missing. */
function readMapInData(
  bytes: Uint8Array,
  entry: Entry,
  realSize: number | undefined,
): boolean {
  if (realSize === undefined) {
    throw new InputError("A sparse map has no file size", UNPACK);
  }
  // The map takes whole blocks before the data and counts as data.
  const data = bytes.subarray(entry.end);
  const found = readDataMap(data.subarray(0, padded(entry.stored)), realSize);
  if (!found) {
    if (data.length < padded(entry.stored) && data.length < MAX_MAP) {
      return false;
    }
    throw new InputError("A sparse map is longer than its file's data", UNPACK);
  }
  entry.end += found.size;
  entry.stored -= found.size;
  entry.sparse = found.map;
  return true;
}
