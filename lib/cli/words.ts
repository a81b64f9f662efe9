import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import { parseJson } from "../formats/json_text.ts";

/**
 * The words of a text: a JSON array, or split as a shell does.
 *
 * @throws {InputError} If it is neither; see {@linkcode splitWords}.
 */
export function wordsOf(text: string): string[] {
  return jsonWords(text) ?? splitWords(text);
}

/**
 * The words of a text that is a JSON array; `undefined` if it does not start as one.
 *
 * @throws {InputError} If it is no JSON, or no array of strings.
 */
export function jsonWords(text: string): string[] | undefined {
  if (!text.trimStart().startsWith("[")) return undefined;
  const list = parseJson("The list of words", text);
  if (!Array.isArray(list) || list.some((word) => typeof word !== "string")) {
    throw new InputError("The list of words must be a JSON array of strings");
  }
  return list;
}

/**
 * Splits a line into words as a POSIX shell does, but expands nothing: `$HOME`,
 * `*` and `~` stay as they are, and `;` or `#` have no meaning of their own.
 *
 * Blanks, tabs and newlines separate words. Single quotes keep everything up to
 * the next one. A backslash keeps the next character, and joins lines when that
 * is a newline; in double quotes it does so only before `$`, `` ` ``, `"`, `\`
 * and newline, and is a plain character elsewhere.
 *
 * @param text The line.
 * @returns The words; quotes with nothing between them make an empty word.
 * @throws {InputError} If a quote is not closed or the line ends in a
 * backslash; the message says at which character, counted from 1.
 *
 * @see {@link https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_02}
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  // One token at a time: blanks, a quoted part, an escape, or plain text.
  const token =
    /([ \t\n]+)|'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|([^ \t\n'"\\]+)/y;
  while (token.lastIndex < text.length) {
    const position = token.lastIndex;
    const match = token.exec(text);
    if (!match) throw unfinished(text, position);
    const [, blanks, single, double, escaped, plain] = match;
    if (blanks !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    // A joined line is nothing at all, not even an empty word.
    if (escaped === "\n") continue;
    const part = single ?? escaped ?? plain ??
      double?.replace(/\\([$`"\\\n])/g, (_, next) => next === "\n" ? "" : next);
    word = (word ?? "") + part;
  }
  if (word !== undefined) words.push(word);
  return words;
}

function unfinished(text: string, position: number): InputError {
  const sign = text[position];
  // Enough of the line to find the place by, however long the line is.
  const near = text.slice(Math.max(0, position - 20), position + 20);
  const where = `at character ${position + 1}, near ${shown(near)}`;
  if (sign === "\\") {
    return new InputError(
      `Nothing follows the backslash ${where}: double it or put it in quotes`,
    );
  }
  const name = sign === "'" ? "single quote" : "double quote";
  return new InputError(
    `The ${name} ${where} is not closed: close it, or put a backslash before it`,
  );
}
