/** Up to so many bytes a buffer is not worth a view of its own. */
const SMALL = 1 << 13;

/** The newest large buffer, and its bytes by fours. */
let newest: ArrayBufferLike | undefined;
let words: Uint32Array = new Uint32Array(0);

/**
 * The buffer of some bytes by fours, in the machine's order: loops over these take
 * a quarter of the time. Calls for the same buffer, one after the other, share a
 * view.
 *
 * @returns `undefined` if the bytes do not start at such a four, or the buffer is
 * small.
 */
export function wordsOf(bytes: Uint8Array, at = 0): Uint32Array | undefined {
  const { buffer } = bytes;
  if (((bytes.byteOffset + at) & 3) !== 0) return undefined;
  if (newest === buffer) return words;
  if (buffer.byteLength <= SMALL) return undefined;
  newest = buffer;
  words = new Uint32Array(buffer, 0, buffer.byteLength >>> 2);
  return words;
}
