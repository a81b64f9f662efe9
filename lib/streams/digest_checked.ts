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
