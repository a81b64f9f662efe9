import { InputError } from "../errors/input_error.ts";
import { sha256 } from "./sha256.ts";

/**
 * Passes chunks on and fails at their end if their SHA-256 is not the given
 * one.
 *
 * @param digest The SHA-256 that they must have, in hex.
 * @param fail Makes the error.
 */
export async function* digestChecked(
  chunks: AsyncIterable<Uint8Array>,
  digest: string,
  fail: () => Error,
): AsyncGenerator<Uint8Array> {
  const hash = sha256();
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.hex() !== digest) throw fail();
}

/** A check of a file's bytes as they pass. */
export interface Verified<T> {
  /** Takes the bytes, piece by piece. */
  onData: (bytes: Uint8Array) => void;
  /** Ends the check. */
  onEnd: () => T;
}

/**
 * Checks the bytes of a file as they pass.
 *
 * @param path What the error calls the file.
 * @param digest The SHA-256 that it must have, in hex.
 * @param onEnd Is called when the file is the right one.
 * @returns What takes the bytes; its end throws an {@linkcode InputError} if
 * they have another digest.
 */
export function verified<T = void>(
  path: string,
  digest: string,
  onEnd: () => T = () => undefined as T,
): Verified<T> {
  const hash = sha256();
  return {
    onData: (bytes) => hash.update(bytes),
    onEnd() {
      const found = hash.hex();
      if (found !== digest) {
        throw new InputError(
          `${path} is damaged: its digest is sha256:${found}, not ` +
            `sha256:${digest}`,
        );
      }
      return onEnd();
    },
  };
}
