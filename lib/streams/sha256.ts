import { createHash } from "../system/node.ts";
import { utf8 } from "./bytes.ts";

/** A SHA-256 that takes its input piece by piece. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** The digest as 64 lower-case hex digits. Ends the hash. */
  hex(): string;
}

/**
 * Starts a SHA-256. WebCrypto's `digest()` takes all bytes at once, which a
 * layer of gigabytes forbids, so this one comes from `node:crypto`.
 */
export function sha256(): Sha256 {
  const hash = createHash("sha256");
  return {
    update: (bytes) => void hash.update(bytes),
    hex: () => hash.digest("hex"),
  };
}

/**
 * The SHA-256 of a document.
 *
 * @param text The document; its UTF-8 bytes count.
 * @returns 64 lower-case hex digits.
 */
export function textDigest(text: string): string {
  const hash = sha256();
  hash.update(utf8(text));
  return hash.hex();
}
