const UNITS: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001 };

/**
 * Reads a duration as Docker writes it: `1m30s`, `500ms`, or a bare number of
 * seconds.
 *
 * @returns Seconds.
 * @throws {SyntaxError} If the text is no duration.
 */
export function parseDuration(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) {
    throw new SyntaxError(
      `${JSON.stringify(text)} is no duration such as 30s or 1m30s`,
    );
  }
  let seconds = 0;
  for (const [, number, , unit] of text.matchAll(/(\d+(\.\d+)?)(h|ms|m|s)/g)) {
    seconds += Number(number) * UNITS[unit!]!;
  }
  return seconds;
}
