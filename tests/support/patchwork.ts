// Patchworks, read as the threads of a copy read them, in tests.

import { concat } from "../../lib/streams/bytes.ts";
import type { Patchwork } from "../../lib/streams/patchwork.ts";
import { CHUNK } from "../../lib/streams/source.ts";
import { fs } from "../../lib/system/node.ts";

/** A patchwork's chunks, as this thread reads them. */
export function* patchedChunks(
  work: Patchwork,
  read: Patchwork["read"] = (chunk, list) => work.read(chunk, list),
): Generator<Uint8Array> {
  const list = new Uint8Array(work.listSize);
  for (let at = 0; at < work.size; at += CHUNK) {
    // What was there before must not stay.
    const chunk = new Uint8Array(Math.min(CHUNK, work.size - at)).fill(0xee);
    work.layOut(chunk, at, list);
    read(chunk, list);
    yield chunk;
  }
}

/** All of its bytes. */
export function patchedBytes(work: Patchwork): Uint8Array {
  return concat([...patchedChunks(work)]);
}

/** The same, as the other thread reads them. */
export function patchedThere(work: Patchwork): Uint8Array {
  const read = new Function("fs", work.code)(fs);
  try {
    return concat([...patchedChunks(work, read)]);
  } finally {
    read.close?.();
  }
}
