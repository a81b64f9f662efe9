import { InputError } from "../errors/input_error.ts";
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

/** Bytes of the longest map taken: 2 numbers of up to 16 digits a segment. */
const MAX_MAP = MAX_SEGMENTS * 34;

/**
 * Finds a file's sparse map, if it has one, wherever its dialect keeps it.
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
  const hasRecords = effective.some(([key]) => key.startsWith("GNU.sparse."));
  if (entry.flag === TYPE.sparse) {
    if (hasRecords) throw new InputError("A sparse file has two maps");
    const found = readOldGnuMap(bytes.subarray(entry.header));
    if (!found) return "more";
    entry.end += found.blocks * BLOCK;
    entry.sparse = found.map;
  } else if (!hasRecords) return entry;
  else if (!readPaxSparse(bytes, entry, effective)) return "more";
  // Without one, some readers take the file for a sparse one, some do not.
  if (!entry.sparse) throw new InputError("A sparse file has no map");
  if (storedSize(entry.sparse) !== entry.stored) {
    throw new InputError(
      "A sparse map's segments do not add up to the data stored",
    );
  }
  entry.size = entry.sparse.realSize;
  return entry;
}

/** Reads a map that PAX records hold, or tell of; false if bytes are missing. */
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
    throw new InputError(`PAX sparse version ${version} is not known`);
  }
  entry.sparse = readPaxMap(effective);
  return true;
}

/** Reads a map that is in front of the data; false if bytes are missing. */
function readMapInData(
  bytes: Uint8Array,
  entry: Entry,
  realSize: number | undefined,
): boolean {
  if (realSize === undefined) {
    throw new InputError("A sparse map has no file size");
  }
  // The map takes whole blocks in front of the data and counts as stored.
  const data = bytes.subarray(entry.end);
  const found = readDataMap(data.subarray(0, padded(entry.stored)), realSize);
  if (!found) {
    if (data.length < padded(entry.stored) && data.length < MAX_MAP) {
      return false;
    }
    throw new InputError("A sparse map is longer than its file's data");
  }
  entry.end += found.size;
  entry.stored -= found.size;
  entry.sparse = found.map;
  return true;
}
