import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import type { Globals, PaxRecord } from "./pax.ts";

/** Keywords of what only one entry can have. */
const OF_ONE = /^(path|linkpath|size|GNU\.sparse\..*)$/;

/** Bytes of global records at most: each entry gets a copy of them. */
const MAX_GLOBALS = 1 << 12;

/**
 * What PAX global headers say once another one has come.
 *
 * @param records Those of the new one, which are copied.
 * @throws {InputError} If it says what only one entry can have, or they say too
 * much.
 */
export function withRecords(
  before: Globals,
  records: readonly PaxRecord[],
): Globals {
  const globals = new Map(before);
  let size = 0;
  for (const [key, value] of records) {
    // A comment says nothing about any entry.
    if (key === "comment") continue;
    if (OF_ONE.test(key)) {
      throw new InputError(
        `A PAX global header gives all entries one ${
          shown(key)
        }; archive the ` +
          "tree anew with tar",
      );
    }
    globals.delete(key);
    // The buffer is reused: records must outlive it.
    if (value.length > 0) globals.set(key, value.slice());
  }
  for (const [key, value] of globals) size += key.length + value.length;
  if (size > MAX_GLOBALS) {
    throw new InputError(
      `PAX global headers hold more than ${MAX_GLOBALS} bytes; archive the ` +
        "tree anew with tar",
    );
  }
  return globals;
}
