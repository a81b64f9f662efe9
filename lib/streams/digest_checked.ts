import { sha256 } from "./sha256.ts";

/**
 * Passes chunks on and fails at their end if their SHA-256 is another one.
 *
 * @param digest The SHA-256 that they must have, in hex.
 * @param message What the error says.
 */
export async function* digestChecked(
  chunks: AsyncIterable<Uint8Array>,
  digest: string,
  message: string,
): AsyncGenerator<Uint8Array> {
  const hash = sha256();
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.hex() !== digest) throw new Error(message);
}
