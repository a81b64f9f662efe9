/** Characters of foreign text that a message shows at most. */
export const SHOWN = 200;

// Control characters (C0, DEL, C1), marks that change the direction of text,
// line separators, invisible characters and lone surrogates.
const UNSAFE =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

const lenient = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/**
 * Foreign text as a message may show it: in double quotes, control characters
 * escaped, cut after {@linkcode SHOWN} characters. All text that comes from an
 * archive, a registry or a directory goes through here, so that it can neither
 * command a terminal nor flood it.
 *
 * @param text Text, or bytes that are UTF-8 or not.
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
export function shown(text: string | Uint8Array, limit = SHOWN): string {
  // A character takes 4 bytes at most, so that no more than this is looked at.
  const whole = typeof text === "string"
    ? text.slice(0, 2 * limit + 2)
    : lenient.decode(text.subarray(0, 4 * limit + 4));
  const characters = [...whole];
  const cut = characters.length > limit;
  const kept = cut ? characters.slice(0, limit).join("") : whole;
  const quoted = `"${kept.replace(/["\\]/g, "\\$&").replace(UNSAFE, escape)}"`;
  return cut ? `${quoted}…` : quoted;
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
