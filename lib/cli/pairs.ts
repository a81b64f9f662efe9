import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";

const LINE_FEED = 0x0a;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a file of `KEY=VALUE` lines, as `docker run --env-file` does: blank
 * lines and lines that start with `#` are passed over, nothing is unquoted.
 *
 * @returns The lines that count, without blanks before the key.
 * @throws {InputError} If a line is not UTF-8, holds a NUL, or has no key or one
 * with blanks; the message has the line's number.
 */
export function pairLines(bytes: Uint8Array): string[] {
  const found: string[] = [];
  let start = 0;
  for (let number = 1; start <= bytes.length; number++) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed < 0 ? bytes.length : feed;
    const line = pairLine(bytes.subarray(start, end), number);
    if (line !== undefined) found.push(line);
    start = end + 1;
  }
  return found;
}

/** One line of such a file; nothing if it is blank or a comment. */
function pairLine(bytes: Uint8Array, number: number): string | undefined {
  const refuse = (reason: string) => {
    throw new InputError(`Line ${number} ${reason}`);
  };
  let text = "";
  try {
    text = decoder.decode(bytes);
  } catch {
    refuse("is not UTF-8");
  }
  if (number === 1) text = text.replace(/^\ufeff/, "");
  const line = text.replace(/\r$/, "").trimStart();
  if (line === "" || line.startsWith("#")) return undefined;
  if (line.includes("\0")) refuse("holds a NUL byte");
  const [key = ""] = line.split("=", 1);
  // The value may be a secret, so no message has it.
  if (key === "") refuse("has no key: write KEY=VALUE");
  const [, command] = /^(export|declare|set|setenv|env)\s/.exec(line) ?? [];
  if (command) {
    refuse(`begins with ${command}, as in a shell: write KEY=VALUE alone`);
  }
  if (/\s/.test(key)) refuse(`has a key with blanks: ${shown(key)}`);
  return line;
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
