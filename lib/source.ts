import { toBytes } from "@std/streams";
import { BLOCK } from "./tar/block.ts";
import { concat } from "./bytes.ts";

/**
 * Bytes that can be streamed more than once, each time the same. A `Blob` is
 * one, and so is what `runtime.ts` makes of a file or of a pipe.
 *
 * The streams' chunks pass into the hands of whoever reads them: they are
 * changed in place and, where a chunk is the whole of its buffer, released.
 */
export interface Source {
  /** All bytes, from the first on. */
  stream(): ReadableStream<Uint8Array>;
  /** The bytes from `start` up to, not including, `end`. */
  slice(start: number, end: number): Pick<Source, "stream">;
  /**
   * Whether a stream fails by itself once the bytes are not those any more that
   * the first one gave. Of other sources the layer's digest is taken again while
   * it is written.
   */
  readonly isSteady?: boolean;
}

/** Memory of released chunks, to be used again: allocating means zeroing. */
const pool: ArrayBuffer[] = [];
const POOL_SIZE = 4;

/**
 * Memory for a chunk, with anything in it.
 *
 * @param size Size in bytes.
 */
export function allocate(size: number): Uint8Array<ArrayBuffer> {
  const at = pool.findIndex((buffer) => buffer.byteLength === size);
  if (at < 0) return new Uint8Array(size);
  const [buffer] = pool.splice(at, 1);
  return new Uint8Array(buffer!);
}

/**
 * Gives a chunk's memory back at once, if the chunk is the whole of its buffer.
 * The chunk is empty afterwards.
 *
 * Collectors let tens of megabytes of chunks pile up before they run; this
 * keeps a build's memory flat whatever the runtime does.
 */
export function release(chunk: Uint8Array): void {
  const { buffer } = chunk;
  // Node 20 cannot transfer; its collector has to do.
  if (chunk.byteLength !== buffer.byteLength || !("transfer" in buffer)) return;
  const whole = pool.length < POOL_SIZE && chunk.byteLength >= LARGE;
  const moved = buffer.transfer(whole ? buffer.byteLength : 0);
  if (whole) pool.push(moved);
}

/** A stream of what a generator yields, made two chunks ahead of its reader. */
export function toStream(
  chunks: AsyncGenerator<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  }, { highWaterMark: 1 });
}

/** A stream's chunks; the stream is cancelled when the loop over them ends early. */
export async function* fromStream(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  // Not every runtime's streams are async iterables.
  const reader = stream.getReader();
  let done = false;
  try {
    for (;;) {
      const result = await reader.read();
      if (result.done) {
        done = true;
        return;
      }
      yield result.value;
    }
  } finally {
    if (!done) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}

/** Smallest buffer worth a turn of the machinery, in bytes. */
const LARGE = 1 << 18;

/**
 * Brings chunks of any sizes to whole blocks of 512 bytes, in large buffers.
 * Large chunks of whole blocks pass uncopied. The last buffer may be ragged.
 */
export async function* wholeBlocks(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    if (size === 0 && chunk.length >= LARGE && chunk.length % BLOCK === 0) {
      yield chunk;
      continue;
    }
    if (chunk.length === 0) continue;
    waiting.push(chunk);
    size += chunk.length;
    if (size < LARGE) continue;
    const whole = concat(waiting);
    waiting.forEach(release);
    const ragged = whole.length % BLOCK;
    waiting = ragged === 0 ? [] : [whole.slice(whole.length - ragged)];
    size = ragged;
    yield ragged === 0 ? whole : whole.subarray(0, whole.length - ragged);
  }
  if (size > 0) yield concat(waiting);
}

/** Reads a short stretch of a source into one array; less if the source ends. */
export async function readAt(
  source: Source,
  start: number,
  length: number,
): Promise<Uint8Array> {
  return await toBytes(source.slice(start, start + length).stream());
}
