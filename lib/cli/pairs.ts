import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";

/**
 * Reads a file of `KEY=VALUE` lines, as `docker run --env-file` does: blank
 * lines and lines that start with `#` are passed over, nothing is unquoted.
 *
 * @returns The lines that count, blanks in front of the key taken off.
 */
export function pairLines(text: string): string[] {
  return text.replace(/^\ufeff/, "").split(/\r?\n/).map((line) =>
    line.trimStart()
  ).filter((line) => line !== "" && !line.startsWith("#"));
}

/**
 * Splits `KEY=VALUE` pairs at their first `=`; one without has an empty value.
 * Of several pairs with one key the last one counts.
 *
 * @throws {InputError} If a pair has no key.
 */
export function pairs(entries: string[]): Record<string, string> {
  const found: [string, string][] = [];
  for (const entry of entries) {
    const at = entry.indexOf("=");
    const key = at < 0 ? entry : entry.slice(0, at);
    if (key === "") {
      throw new InputError(`${shown(entry)} is not KEY=VALUE`);
    }
    found.push([key, at < 0 ? "" : entry.slice(at + 1)]);
  }
  // Even __proto__ becomes a key like any other.
  return Object.fromEntries(found);
}
