import { fromStream, type Source } from "./source.ts";

/** A temporary copy of bytes, to be read as often as needed. */
export interface SpooledSource extends Source {
  /** Lets go of the bytes, where that is not the garbage collector's work. */
  close?(): void;
}

/** A way to spool the bytes of a stream; reads the stream to its end. */
export type StreamSpool = (
  stream: ReadableStream<Uint8Array>,
) => Promise<SpooledSource>;

/** Bytes that are gathered before they go into a blob. */
const BATCH = 1 << 22;

/**
 * Spools all bytes of a stream in memory. It needs nothing but a web runtime's
 * `Blob`.
 *
 * @param stream The bytes. Its chunks are copied.
 * @returns The same bytes, to be read as often as needed.
 *
 * @example
 * ```ts
 * import { spoolToMemory } from "@isoc/isoc";
 * import assert from "node:assert/strict";
 *
 * const kept = await spoolToMemory(new Blob(["make container"]).stream());
 * assert.equal(await new Response(kept.stream()).text(), "make container");
 * assert.equal(await new Response(kept.slice(0, 4).stream()).text(), "make");
 * ```
 */
export async function spoolToMemory(
  stream: ReadableStream<Uint8Array>,
): Promise<SpooledSource> {
  const blobs: Blob[] = [];
  let batch: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of fromStream(stream)) {
    batch.push(new Uint8Array(chunk));
    size += chunk.length;
    if (size < BATCH) continue;
    blobs.push(new Blob(batch));
    batch = [];
    size = 0;
  }
  return new Blob([...blobs, ...batch]);
}
