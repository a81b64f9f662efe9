import { sha256 } from "./sha256.ts";
import type { HashBeside } from "./source.ts";

/**
 * Passes chunks on and fails at their end if their SHA-256 is not the given
 * one.
 *
 * @param digest The SHA-256 that they must have, in hex.
 * @param fail Makes the error.
 * @param hash Hashes them; here unless given.
 */
export async function* digestChecked(
  chunks: AsyncIterable<Uint8Array>,
  digest: string,
  fail: () => Error,
  hash?: Pick<HashBeside, "hex">,
): AsyncGenerator<Uint8Array> {
  const own = hash ? undefined : sha256();
  for await (const chunk of chunks) {
    own?.update(chunk);
    yield chunk;
  }
  if ((own?.hex() ?? await hash?.hex()) !== digest) throw fail();
}
