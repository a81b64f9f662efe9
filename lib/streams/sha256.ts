import { sha1 as plainSha1 } from "@noble/hashes/legacy";
import {
  sha256 as plainSha256,
  sha512 as plainSha512,
} from "@noble/hashes/sha2";
import { utf8 } from "./bytes.ts";

/** SHA-256 of no bytes, in hex. */
export const EMPTY_DIGEST =
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** A SHA-256 that takes its input piece by piece. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** The digest in lower-case hex, 64 digits of SHA-256. Ends the hash. */
  hex(): string;
}

/** A SHA-256 that another thread may make; bytes stay the caller's. */
export interface SideHash {
  /** Gives a promise if there is no room for more bytes for now. */
  update(bytes: Uint8Array): Promise<void> | void;
  /** As {@linkcode Sha256.hex}. */
  hex(): Promise<string> | string;
  /** Gives up. */
  cancel?(): Promise<void>;
}

/** What of Node's hashes is used here. */
interface NativeHash {
  update(bytes: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}

/** What of Node's process is used here. */
interface Process {
  getBuiltinModule?(name: "node:crypto"): {
    createHash(name: string): NativeHash;
  };
}

/** Node's own hash, which Deno and Bun have too and a browser has not. */
function nativeHash(name: string): NativeHash | undefined {
  const { process } = globalThis as unknown as { process?: Process };
  return process?.getBuiltinModule?.("node:crypto").createHash(name);
}

/**
 * Starts a SHA-256. WebCrypto's `digest()` takes all bytes at once, but a layer
 * may have gigabytes. Where the runtime has a hash of its own, this is that
 * one, several times as quick as JavaScript; in a browser it is written in
 * JavaScript.
 */
export function sha256(): Sha256 {
  return hasher("sha256", plainSha256);
}

/** Starts a SHA-512, by which rkt names images; its digest has 128 hex digits. */
export function sha512(): Sha256 {
  return hasher("sha512", plainSha512);
}

/** Starts a SHA-1, which protects nothing: SPDX asks for it of each file. */
export function sha1(): Sha256 {
  return hasher("sha1", plainSha1);
}

function hasher(
  name: string,
  plain: typeof plainSha1 | typeof plainSha256 | typeof plainSha512,
): Sha256 {
  const native = nativeHash(name);
  if (native) {
    return {
      update: (bytes) => void native.update(bytes),
      hex: () => native.digest("hex"),
    };
  }
  const hash = plain.create();
  return {
    update: (bytes) => void hash.update(bytes),
    hex: () => hexOf(hash.digest()),
  };
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** The SHA-1 of a text's UTF-8 bytes, as 40 lower-case hex digits. */
export function sha1Text(text: string): string {
  const hash = sha1();
  hash.update(utf8(text));
  return hash.hex();
}

/**
 * The SHA-256 of a document.
 *
 * @param text The document; its UTF-8 bytes count.
 * @returns 64 lower-case hex digits.
 */
export function textDigest(text: string): string {
  return bytesDigest(utf8(text));
}

/**
 * The SHA-256 of bytes that are all at hand.
 *
 * @param bytes The bytes.
 * @returns 64 lower-case hex digits.
 */
export function bytesDigest(bytes: Uint8Array): string {
  const hash = sha256();
  hash.update(bytes);
  return hash.hex();
}
