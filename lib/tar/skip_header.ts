import { ascii, concat } from "../streams/bytes.ts";
import { readAt, type Source } from "../streams/source.ts";
import { BLOCK, putChecksum } from "./block.ts";
import { paxEntry } from "./rebuild.ts";

/** Bytes of a header of {@linkcode skipHeader}. */
export const SKIP_HEADER = 2 * BLOCK;

/** Bytes of a zstd frame's magic and length. */
const FRAME = 8;
/** The most that one frame can be, header included (RFC 8878, section 3.1.2). */
export const MAX_SKIP: number = 2 ** 32 - 1 + FRAME;
/** More of them than any real archive has. */
const MOST = 10_000;

/** A skippable frame's magic, with which a name starts that is no name. */
const MAGIC = ascii("P*M\x18");
const COMMENT = ascii("decoders of zstd skip the tar to what follows it");

/**
 * A header that makes a stretch of a tar a frame that zstd decoders skip. To tar
 * readers it is a PAX header with a comment; its name, which they pass over, starts
 * with the frame's magic and length.
 *
 * @param length Bytes to skip, the header among them.
 */
export function skipHeader(length: number): Uint8Array {
  const [block, records] = paxEntry([["comment", COMMENT]]);
  const bytes = concat([block!, records!]);
  bytes.fill(0, 0, 100);
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint32(MAGIC.length, length - FRAME, true);
  putChecksum(bytes);
  return bytes;
}

/** Whether bytes start as a zstd frame that decoders skip. */
export function isSkipped(bytes: Uint8Array, at = 0): boolean {
  return (bytes[at]! & 0xf0) === 0x50 && bytes[at + 1] === 0x2a &&
    bytes[at + 2] === 0x4d && bytes[at + 3] === 0x18;
}

/** Whether a header of {@linkcode skipHeader} comes first before an entry. */
export function hasSkipHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  return end - start > SKIP_HEADER && isSkipped(bytes, start) &&
    bytes[start + 156] === 0x78;
}

/**
 * Where a zstd decoder gets to that skips what it can.
 *
 * @param size Bytes of the file.
 * @returns An offset, at most the size of the file; `undefined` if it skips
 * nothing, and -1 if it skips more frames than any archive has.
 */
export async function skippedTo(
  source: Pick<Source, "slice">,
  size: number,
): Promise<number | undefined> {
  let at = 0;
  for (let i = 0; i < MOST; i++) {
    const frame = at < size ? await readAt(source, at, FRAME) : ascii("");
    if (frame.length < FRAME || !isSkipped(frame)) {
      return i === 0 ? undefined : Math.min(at, size);
    }
    const { buffer, byteOffset } = frame;
    at += FRAME + new DataView(buffer, byteOffset).getUint32(4, true);
  }
  return -1;
}

/** Whether bytes start as a zstd frame with data. */
export function isZstdFrame(bytes: Uint8Array): boolean {
  return bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f &&
    bytes[3] === 0xfd;
}
