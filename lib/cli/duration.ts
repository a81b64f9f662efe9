import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";

/** Seconds of each unit that Go's durations have. */
const UNITS: Record<string, number> = {
  h: 3600,
  m: 60,
  s: 1,
  ms: 1e-3,
  us: 1e-6,
  "µs": 1e-6,
  ns: 1e-9,
};

/**
 * Reads a duration as Docker writes it: `1m30s`, `500ms`, or a bare number of
 * seconds.
 *
 * @param text The duration.
 * @returns Seconds.
 * @throws {InputError} If the text is no duration.
 */
export function parseDuration(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (!/^((\d+\.?\d*|\.\d+)([mnuµ]s|[hms]))+$/.test(text)) {
    throw new InputError(
      `${shown(text)} is no duration such as 30s or 1m30s`,
    );
  }
  let seconds = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)([mnuµ]s|[hms])/g)) {
    seconds += Number(number) * UNITS[unit!]!;
  }
  return seconds;
}
