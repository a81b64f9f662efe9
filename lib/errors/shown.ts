/** Characters of foreign text that a message shows at most. */
const SHOWN = 200;

// Control characters (C0, DEL, C1), marks that change the direction of text,
// line separators, invisible characters and lone surrogates.
const UNSAFE =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/** Items of a list that a message shows at most. */
const LISTED = 8;

const lenient = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/**
 * Foreign text as a message may show it: in double quotes, control characters
 * escaped, cut after {@linkcode SHOWN} characters. All text that comes from an
 * archive, a registry or a directory goes through here, so that it can neither
 * command a terminal nor flood it.
 *
 * @param value Text, or bytes that are UTF-8 or not. A number, `true`, `null` and
 * so on show themselves without quotes, a list and an object only what they are.
 * @param limit Characters that are shown at most.
 * @returns The quoted text; `…` after the closing quote means that it is cut.
 *
 * @example
 * ```ts
 * import { shown } from "./shown.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(shown("a\x1b[31m"), '"a\\u001b[31m"');
 * assert.equal(shown("abc", 2), '"ab"…');
 * ```
 */
export function shown(value: unknown, limit = SHOWN): string {
  if (typeof value === "object" && !(value instanceof Uint8Array)) {
    if (value === null) return "null";
    return Array.isArray(value) ? "a list" : "an object";
  }
  const text = value instanceof Uint8Array ? value : String(value);
  if (typeof value !== "string" && typeof text === "string") {
    return text.slice(0, limit);
  }
  // A character takes 4 bytes at most, so that no more than this is looked at.
  const whole = typeof text === "string"
    ? text.slice(0, 2 * limit + 2)
    : lenient.decode(text.subarray(0, 4 * limit + 4));
  const characters = [...whole];
  const cut = characters.length > limit;
  const kept = cut ? characters.slice(0, limit).join("") : whole;
  const quoted = `"${escaped(kept.replace(/["\\]/g, "\\$&"))}"`;
  return cut ? `${quoted}…` : quoted;
}

/**
 * A foreign word as a message may show it: a short one of letters, digits and
 * `. _ / : @ + , = -` as it is, any other by {@linkcode shown}. For paths of an
 * archive, digests, platforms and such, which need no quotes.
 *
 * @example
 * ```ts
 * import { shownWord } from "./shown.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(shownWord("blobs/sha256/ab"), "blobs/sha256/ab");
 * assert.equal(shownWord("a b"), '"a b"');
 * ```
 */
export function shownWord(value: unknown): string {
  return typeof value === "string" && value.length <= SHOWN &&
      /^[\p{L}\p{N}._/:@+,=-]+$/u.test(value)
    ? value
    : shown(value);
}

/**
 * A list of foreign texts as a message may show it: the first few, each by
 * {@linkcode shown}, and how many more there are.
 *
 * @param items The texts.
 * @param limit Items that are shown at most.
 * @param show Shows one of them; {@linkcode shown} unless given.
 *
 * @example
 * ```ts
 * import { shownList } from "./shown.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(shownList(["a", "b", "c"], 2), '"a", "b" and 1 more');
 * ```
 */
export function shownList(
  items: readonly unknown[],
  limit = LISTED,
  show: (item: unknown) => string = (item) => shown(item),
): string {
  const named = items.slice(0, limit).map(show).join(", ");
  const more = items.length - limit;
  return more > 0 ? `${named} and ${more} more` : named;
}

/**
 * A whole message as a terminal may get it: characters that a terminal acts on,
 * or that hide text, are escaped. {@linkcode shown} has done so for foreign text
 * before; this is the last gate, through which each line of output goes.
 */
export function escaped(text: string): string {
  return text.replace(UNSAFE, escape);
}

/**
 * A value as JSON, without characters that a terminal acts on.
 *
 * @param indent Blanks for each level; compact unless given.
 */
export function escapedJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    UNSAFE,
    // JSON has no line breaks inside of its strings.
    (character) =>
      character === "\n" ? character : Array.from(
        character.split(""),
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
      ).join(""),
  );
}

function escape(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\t") return "\\t";
  if (character === "\r") return "\\r";
  const code = character.codePointAt(0)!;
  return code > 0xffff
    ? `\\u{${code.toString(16)}}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}
