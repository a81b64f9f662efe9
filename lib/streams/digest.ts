import { utf8 } from "./bytes.ts";

/**
 * The SHA-256 of a document, by WebCrypto.
 *
 * @param text The document; its UTF-8 bytes count.
 * @returns 64 lower-case hex digits.
 */
export async function digestOf(text: string): Promise<string> {
  const bytes = utf8(text) as Uint8Array<ArrayBuffer>;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  let hex = "";
  for (const byte of digest) hex += byte.toString(16).padStart(2, "0");
  return hex;
}
