import { asciiText } from "../streams/bytes.ts";
import type { StoredEntry } from "./stored_entries.ts";

/** The last second that 64 bits of nanoseconds since 1970 can hold, in 2262. */
const LAST = 9_223_372_036;

const POINT = 0x2e;

/**
 * Whether Docker changes an entry's time: one before 1970 or after 2262 becomes
 * 1970.
 */
export function hasOddTime(
  { entry, globals }: StoredEntry,
): boolean {
  let time = entry.mtime;
  if (entry.records.length > 0 || globals.size > 0) {
    const own = entry.records.findLast(([key]) => key === "mtime");
    const value = own ? own[1] : globals.get("mtime");
    if (value && value.length > 0) time = secondsOf(value);
  }
  return time < 0 || time > LAST;
}

/** A record's time; of a usual one without the fraction, which is quicker. */
function secondsOf(value: Uint8Array): number {
  let seconds = 0;
  for (let i = 0; i < value.length && value[i] !== POINT; i++) {
    const digit = value[i]! - 0x30;
    seconds = digit >= 0 && digit <= 9 ? seconds * 10 + digit : NaN;
  }
  return seconds < LAST ? seconds : Number(asciiText(value));
}
