import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";

/**
 * Writes a document as the archive has it: compact JSON and a newline. Keys
 * have the order that the document's function gave them, so the same image
 * gives the same bytes, and the same digest, on every runtime.
 *
 * Characters that JSON allows in a string and YAML does not, or takes for a line
 * break, are escaped, because LXD reads `metadata.yaml` as YAML.
 *
 * @param document A document made by one of the functions in this folder.
 * @returns The document's text.
 */
export function jsonText(document: object): string {
  return JSON.stringify(document).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  ) + "\n";
}

/** Lists and objects that may be inside one another in a document. */
const MAX_DEPTH = 100;

/** A string, or a bracket of any kind. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{}]/gs;

/**
 * Reads JSON that comes from outside.
 *
 * The depth is measured before the runtime's parser sees the text: some parsers,
 * and all that walks over their result, run out of stack.
 *
 * @param name What messages call the document.
 * @param text The document's text.
 * @returns The value.
 * @throws {InputError} If it is too deep, or not JSON. The runtime's own message quotes the
 * text as it is, and differs between runtimes, so it is the cause only.
 */
export function parseJson(name: string, text: string): unknown {
  checkDepth(name, text);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const start = text.trim() === ""
      ? "it is empty"
      : `it starts with ${shown(text.trimStart(), 40)}`;
    throw new InputError(`${name} is not JSON: ${start}`, { cause });
  }
}

function checkDepth(name: string, text: string): void {
  // Most documents have too few brackets to be deep.
  if (brackets(text, MAX_DEPTH) <= MAX_DEPTH) return;
  let depth = 0;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "[" || token === "{") depth++;
    else if (token === "]" || token === "}") depth--;
    if (depth > MAX_DEPTH) {
      throw new InputError(
        `${name} has lists and objects more than ${MAX_DEPTH} levels deep`,
      );
    }
  }
}

/** How many brackets open in a text, those in its strings too; `most` will do. */
function brackets(text: string, most: number): number {
  let count = 0;
  for (const bracket of ["{", "["]) {
    let at = text.indexOf(bracket);
    while (at >= 0 && count <= most) {
      count++;
      at = text.indexOf(bracket, at + 1);
    }
  }
  return count;
}
