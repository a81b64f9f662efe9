import { toBytes } from "@std/streams";
import type { Patchwork } from "./patchwork.ts";

/** Hashes bytes beside what else is done. */
export interface HashBeside {
  /** SHA-256 of all of them, in hex. */
  hex(): Promise<string>;
  /** Gives up. */
  cancel(): void;
}

/** A stretch of a file that another thread may read, too. */
export interface FilePlace {
  /** Where the file is: a path, or 0 for standard input. */
  readonly path: string | number;
  /** Device and inode: another file may be at the path by now. */
  readonly id: string;
  /** Offset of its first byte. */
  readonly start: number;
  /** Size in bytes. */
  readonly size: number;
  /** As `Patchwork.code`, for pieces that a `PiecesOfFile` lists. */
  readonly code: string;
  /**
   * Fills a buffer from an offset in the file on.
   *
   * @returns The count of bytes, less than the buffer has at the end only.
   */
  read(buffer: Uint8Array, position: number): number;
  /**
   * Throws if the file is not what it was.
   *
   * @param isShort Whether it ends too early.
   */
  check(isShort?: boolean): void;
  /**
   * Starts to hash a stretch of the file in another thread, if there is a core
   * for it and so many bytes are worth it.
   *
   * @param start Offset in the file of its first byte.
   */
  hash(start: number, size: number): HashBeside | undefined;
}

/** A stretch of a file that is compressed with gzip. */
export interface PackedFile {
  /** Where its compressed bytes are. */
  readonly place: FilePlace;
  /** SHA-256 that its bytes must have, in hex, if they are to be checked. */
  readonly digest?: string | undefined;
  /** Bytes that it may hold at most. */
  readonly limit: number;
  /** What it holds, unpacked here; at most once. */
  chunks(): AsyncGenerator<Uint8Array>;
}

/** Bytes that are made of others while these are copied. */
export interface Making {
  /** The others. */
  readonly patchwork: Patchwork;
  /**
   * Makes the bytes, as lists of pieces.
   *
   * @param chunks Those of the patchwork; each may be changed in its place until
   * the next one is asked for.
   * @returns Pieces, which last until the next list is asked for. Some may be
   * stretches of the chunk.
   */
  pieces(
    chunks: AsyncGenerator<Uint8Array>,
  ): AsyncGenerator<readonly Uint8Array[]>;
}

/** The bytes of a patchwork as they are. */
export function copyOf(patchwork: Patchwork): Making {
  return {
    patchwork,
    async *pieces(chunks) {
      for await (const chunk of chunks) yield [chunk];
    },
  };
}

/**
 * Bytes that can be streamed more than once, each time the same. A `Blob` is
 * one, and so is what `@isoc/isoc/node` makes of a file or of a pipe.
 *
 * The reader owns the streams' chunks: it changes them in place and releases a
 * chunk that is the whole of its buffer.
 */
export interface Source {
  /** All bytes, from the first on. */
  stream(): ReadableStream<Uint8Array>;
  /** The bytes from `start` up to, not including, `end`. */
  slice(start: number, end: number): Pick<Source, "stream">;
  /**
   * True if streams throw once the bytes differ from the first read; otherwise
   * the layer is hashed again while it is written.
   */
  readonly isSteady?: boolean | undefined;
  /**
   * Of bytes that can be read once only, such as a pipe's: gives them without
   * keeping them anywhere. Then nothing else can be read of the source.
   *
   * @returns `undefined` if it is too late for that.
   */
  once?(): AsyncGenerator<Uint8Array> | undefined;
  /**
   * Fills a buffer from an offset on, where that is quicker than a stream.
   *
   * @returns The count of bytes, less than the buffer has at the end only.
   */
  fill?: ((buffer: Uint8Array, start: number) => number) | undefined;
  /** Where the same bytes are in a file, if they are. */
  readonly place?: FilePlace | undefined;
  /** How another thread can help to make them, if it can. */
  readonly patchwork?: Patchwork | undefined;
  /** The file with these bytes in it, of which nothing has been unpacked yet. */
  readonly packed?: PackedFile | undefined;
  /**
   * Of bytes that are made of a file: how. Once pieces have been asked for,
   * nothing else can be read of the source.
   */
  making?(): Making | undefined;
}

/** Bytes that are read at once: smaller chunks cost time, larger ones memory. */
export const CHUNK = 1 << 18;

/** Memory of released chunks, to be used again: allocating means zeroing. */
const pool: ArrayBuffer[] = [];
const POOL_SIZE = 2;

/**
 * Memory for a chunk, with anything in it.
 *
 * @param size Size in bytes.
 */
export function allocate(size: number): Uint8Array<ArrayBuffer> {
  const buffer = size === CHUNK ? pool.pop() : undefined;
  return new Uint8Array(buffer ?? new ArrayBuffer(size));
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
  const again = chunk.byteLength === CHUNK && pool.length < POOL_SIZE;
  const moved = buffer.transfer(again ? CHUNK : 0);
  if (again) pool.push(moved);
}

// V8 compiles all code that reads memory anew, once memory with several views is
// released for the first time. Let that be now, when there is hardly any.
const first = allocate(1);
first.subarray(0);
release(first);

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

/**
 * A stretch of a source in chunks of which each is the reader's only until it asks
 * for the next one: no memory is taken for more than one of them, where the source
 * can do that.
 *
 * @returns Fewer bytes if the source is shorter.
 */
export async function* lentChunks(
  source: Pick<Source, "slice" | "fill">,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  if (!source.fill) {
    return yield* fromStream(source.slice(start, end).stream());
  }
  const buffer = new Uint8Array(CHUNK);
  for (let at = start; at < end;) {
    const room = buffer.subarray(0, end - at);
    const count = source.fill(room, at);
    if (count > 0) yield room.subarray(0, count);
    if (count < room.length) return;
    at += count;
  }
}

/** Reads a short stretch of a source into one array; less if the source ends. */
export async function readAt(
  source: Pick<Source, "slice" | "fill">,
  start: number,
  length: number,
): Promise<Uint8Array> {
  if (source.fill) {
    const buffer = new Uint8Array(length);
    return buffer.subarray(0, source.fill(buffer, start));
  }
  return await toBytes(source.slice(start, start + length).stream());
}
