import { parseJson } from "./json_text.ts";

/** A string, or a number with what marks it as one. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;

/** A document that can be written again without any number changed. */
export interface LosslessJson {
  /** What the document holds, to be changed. */
  value: unknown;
  /** Writes a value of it, or one with other values in it, as JSON. */
  write(value: unknown): string;
}

/**
 * Reads JSON so that numbers which JavaScript cannot hold, such as 64-bit
 * integers and `1.0`, are written again as they were. Until then each
 * of them is a string.
 *
 * @param name What messages call the document.
 * @param text JSON.
 */
export function losslessJson(name: string, text: string): LosslessJson {
  // A string that the document does not have.
  let mark = "#";
  while (text.includes(mark)) mark += "#";
  const marked = text.replace(
    TOKEN,
    (token) =>
      token.startsWith('"') || String(Number(token)) === token
        ? token
        : `"${mark}${token}"`,
  );
  return {
    value: parseJson(name, marked),
    write: (value) =>
      JSON.stringify(value).replace(
        TOKEN,
        (token) =>
          token.startsWith(`"${mark}`)
            ? token.slice(mark.length + 1, -1)
            : token,
      ),
  };
}
