import { FileError } from "../errors/file_error.ts";
import { InputError } from "../errors/input_error.ts";
import { release } from "../streams/source.ts";
import type { ZstdFrames } from "../streams/zstd_frames.ts";
import { isFileError } from "./errors.ts";
import { takeTurn } from "./fd.ts";
import { feed } from "./feed.ts";
import { type Gunzip, zlib, type ZlibOptions } from "./node.ts";

/** Bytes decompressed at once. */
const INFLATED = 1 << 16;

const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * Takes gzip off, of all members that follow each other (RFC 1952, section 2.2).
 * Zeros may follow the last one, as tapes have them, and nothing else.
 *
 * @param chunks The compressed bytes. Released.
 * @param name What messages call them.
 * @throws {FileError} If they are damaged or cut short, or junk follows.
 */
export async function* gunzip(
  chunks: AsyncGenerator<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array> {
  const inflate = zlib().createGunzip({ chunkSize: INFLATED });
  let last = EMPTY;
  let given = 0;
  // The source stays open when the decompressor has enough of it.
  async function* counted() {
    for (;;) {
      const { value, done } = await chunks.next();
      if (done) return;
      last = value;
      given += value.length;
      yield value;
    }
  }
  try {
    yield* through(inflate, counted(), (chunk) => {
      if (inflate.bytesWritten === given) release(chunk);
    });
    // It stops at a zero byte and takes nothing after it.
    const unread = given - inflate.bytesWritten;
    let rest = unread > 0 ? last.subarray(last.length - unread) : EMPTY;
    for (;;) {
      if (rest.some((byte) => byte !== 0)) {
        throw new FileError(`${name}: something else follows the gzip data`);
      }
      const { value, done } = await chunks.next();
      if (done) return;
      rest = value;
    }
  } catch (error) {
    throw isZlibError(error) ? damaged(name, "gzip", error) : error;
  } finally {
    inflate.destroy();
    await chunks.return(undefined);
  }
}

/**
 * Takes zstd off, of all frames that follow each other.
 *
 * @param chunks The compressed bytes. Released.
 * @param frames Takes them apart.
 * @param name What messages call them.
 * @returns `undefined` if the runtime has no zstd.
 * @throws {FileError} If they are damaged or cut short, or junk follows.
 */
export function zstdInflater(
  chunks: AsyncGenerator<Uint8Array>,
  frames: ZstdFrames,
  name: string,
): AsyncGenerator<Uint8Array> | undefined {
  const inflate = createZstd();
  if (!inflate) return undefined;
  async function* inflated(inflate: Gunzip) {
    try {
      yield* through(inflate, framesOf(chunks, frames, name));
    } catch (error) {
      throw isZlibError(error) ? damaged(name, "zstd", error) : error;
    } finally {
      inflate.destroy();
    }
  }
  return inflated(inflate);
}

/** A zstd file's pieces, one write each; fails where the file ends too early. */
export async function* framesOf(
  chunks: AsyncGenerator<Uint8Array>,
  frames: ZstdFrames,
  name: string,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    try {
      yield* frames.pieces(chunk);
    } catch (error) {
      throw named(name, error);
    }
    release(chunk);
  }
  try {
    frames.end();
  } catch (error) {
    throw named(name, error);
  }
}

function named(name: string, error: unknown): unknown {
  return error instanceof InputError
    ? new FileError(`${name}: ${error.message}`, { cause: error })
    : error;
}

/** The runtime's own zstd: Bun and newer versions of Deno and Node have it. */
function createZstd(): Gunzip | undefined {
  if (!("createZstdDecompress" in zlib())) return undefined;
  try {
    const create: (options: ZlibOptions) => Gunzip =
      zlib().createZstdDecompress;
    // ZSTD_d_windowLogMax: ZstdFrames has the limit.
    const params = { 100: 31 };
    return create({ chunkSize: INFLATED, params } as ZlibOptions);
  } catch {
    // Deno 2.6 has the name, and nothing in it.
    return undefined;
  }
}

/** What comes out of a decompressor that is fed with chunks. */
async function* through(
  inflate: Gunzip,
  chunks: AsyncGenerator<Uint8Array>,
  onUsed: (chunk: Uint8Array) => void = release,
): AsyncGenerator<Uint8Array> {
  let failure: unknown;
  feed(chunks, inflate, onUsed).catch((error) => {
    failure = error;
    inflate.destroy(error);
  });
  try {
    for await (const chunk of inflate) {
      yield ownBytes(chunk);
      // A few bytes can become gigabytes.
      await takeTurn();
    }
  } catch (error) {
    // Reading the compressed bytes has failed: its own message says more.
    throw failure ?? error;
  }
}

/** Whether a decompressor complains, not the source of its bytes. */
function isZlibError(error: unknown): boolean {
  return !(error instanceof InputError) && !(error instanceof FileError) &&
    !isFileError(error);
}

/** The error for bytes that do not decompress. */
export function damaged(
  name: string,
  compression: string,
  cause?: unknown,
): FileError {
  return new FileError(
    `${name}: the ${compression} data are damaged or cut short; make or fetch ` +
      "it again",
    { cause },
  );
}

/** A copy that is the whole of its buffer; Node's are slices of shared ones. */
export function ownBytes(chunk: Uint8Array): Uint8Array {
  return chunk.byteLength === chunk.buffer.byteLength
    ? new Uint8Array(chunk.buffer as ArrayBuffer)
    : new Uint8Array(chunk);
}
