import { InputError } from "../errors/input_error.ts";

/** Bytes that one call takes: more are too many arguments. */
const PIECE = 1 << 14;

/** Bytes in base64, with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE) {
    text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  }
  return btoa(text);
}

/**
 * The bytes of a base64 text. Blanks and newlines in it do not count.
 *
 * @param name What messages call the text.
 * @throws {InputError} If it is no base64.
 */
export function fromBase64(
  name: string,
  text: string,
): Uint8Array<ArrayBuffer> {
  try {
    const bytes = atob(text.replace(/[ \t\r\n]/g, ""));
    return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new InputError(`${name} is not base64`, { cause });
  }
}
