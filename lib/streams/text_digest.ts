import { utf8 } from "./bytes.ts";
import { sha256 } from "./sha256.ts";

/** SHA-256 of a text's UTF-8 bytes, in hex. */
export function textDigest(text: string): string {
  const hash = sha256();
  hash.update(utf8(text));
  return hash.hex();
}
