import {
  type Compression,
  compressionOf,
  LOOKED_AT,
} from "../streams/compression.ts";
import { fs } from "./node.ts";
import {
  allocate,
  CHUNK,
  fromStream,
  release,
  type Source,
} from "../streams/source.ts";
import { FileError } from "../errors/file_error.ts";
import { codeError, fileError } from "./errors.ts";
import { awaitWriter, openToRead } from "./plain_open.ts";
import { readFile, readPipe, takeTurn } from "./fd.ts";
import { pipeChunks } from "./pipe_chunks.ts";
import { openFile } from "./file_source.ts";
import { beginOf } from "./standard_input.ts";
import { openSpool, spooled } from "./spool_file.ts";
import type { Input } from "./input.ts";
import { unpack } from "./decompress.ts";
import type { UnpackLimits } from "./unpack_limits.ts";

/** What looks at a file's bytes as they are there, before anything else does. */
export interface RawCheck {
  /** Throws if the file must not be used. */
  check: (bytes: Source & { size: number }, name: string) => Promise<void>;
  /**
   * Whether only a copy will do, which nobody else can change between this look
   * and the use.
   */
  copy: boolean;
}

/**
 * Opens a file as a source. A pipe, a terminal or a device is read once and
 * goes to a spool file in the temporary directory (`TMPDIR`) meanwhile; so does
 * the content of a compressed file.
 *
 * @param path The file, or `undefined` for standard input.
 * @param limits What a compressed file may take at most.
 * @param raw Looks at its bytes first.
 * @throws {Error} If it cannot be opened or is a directory, or what the look
 * throws.
 */
export async function openInput(
  path: string | undefined,
  limits: UnpackLimits,
  raw?: RawCheck,
): Promise<Input> {
  const bytes = await openBytes(path);
  const { fd, name, isFile, chunks, compression } = bytes;
  if (raw) {
    const looked = await lookedAt(bytes, raw);
    if (!compression) return looked;
    const unpacked = openSpool(
      -1,
      name,
      unpack(fromStream(looked.stream()), compression, name, limits),
    );
    const { close } = unpacked;
    return Object.assign(unpacked, {
      compression,
      close() {
        close();
        looked.close();
      },
    });
  }
  if (!compression) {
    return isFile ? openFile(fd, name, path) : openSpool(fd, name, chunks);
  }
  const unpacked = unpack(chunks, compression, name, limits);
  return Object.assign(openSpool(fd, name, unpacked), { compression });
}

/** An open file. */
export interface OpenBytes {
  fd: number;
  name: string;
  isFile: boolean;
  /** All that it holds, first bytes included. */
  chunks: AsyncGenerator<Uint8Array>;
  compression: Compression | undefined;
}

/** The bytes of a file as they are there, after the look at them. */
async function lookedAt(
  { fd, name, isFile, chunks }: OpenBytes,
  { check, copy }: RawCheck,
): Promise<Input & { size: number }> {
  const input = isFile && !copy
    ? openFile(fd, name)
    : openSpool(fd, name, chunks);
  try {
    if (input.size === undefined) {
      for await (const chunk of fromStream(input.stream())) release(chunk);
    }
    await check(input as Input & { size: number }, name);
    return input as Input & { size: number };
  } catch (error) {
    input.close();
    throw error;
  }
}

/** Opens a file or standard input and looks at its first bytes. */
export async function openBytes(
  path: string | undefined,
): Promise<OpenBytes> {
  const name = path ?? "standard input";
  const fd = path === undefined ? 0 : openToRead(path);
  try {
    const stat = fs.fstatSync(fd);
    if (stat.isDirectory()) throw codeError(`Cannot read ${name}`, "EISDIR");
    const first = new Uint8Array(CHUNK);
    const read = () => readPipe(fd, first);
    const begin = stat.isFile() && path === undefined
      ? beginOf(first, stat.size)
      : undefined;
    const isFile = begin?.isWhole ?? stat.isFile();
    const count = begin
      ? begin.count
      : isFile
      ? readFile(fd, first, 0)
      : path !== undefined && stat.isFIFO()
      ? await awaitWriter(read, name)
      : await read();
    const compression = compressionOf(
      first.subarray(0, Math.min(count, LOOKED_AT)),
    );
    const chunks = fdChunks(fd, first.slice(0, count), isFile);
    return { fd, name, isFile, chunks, compression };
  } catch (error) {
    if (fd > 0) fs.closeSync(fd);
    throw error instanceof FileError
      ? error
      : fileError(`Cannot read ${name}`, error);
  }
}

/** An input that is read once, as it comes. */
export interface Flow {
  /** Size in bytes, where it is known. */
  readonly size: number | undefined;
  /** The same bytes, if they are a plain file. */
  readonly file?: (Source & { size: number }) | undefined;
  readonly chunks: AsyncGenerator<Uint8Array>;
  /**
   * Makes a source of it after all: the file itself, or else a spool file.
   *
   * @param chunks All of its bytes.
   */
  keep(chunks: AsyncGenerator<Uint8Array>): Promise<Source>;
  /** Closes the file and removes the spool file, if any. */
  close(): void;
}

/**
 * Opens a file or a pipe to be read once, with its compression taken off. No
 * copy of it is made.
 *
 * @param path The file, or `undefined` for standard input.
 * @param limits What a compressed file may take at most.
 * @param raw Looks at its bytes first; then there is a copy after all.
 * @throws {Error} If it cannot be opened or is a directory.
 */
export async function openFlow(
  path: string | undefined,
  limits: UnpackLimits,
  raw?: RawCheck,
): Promise<Flow> {
  if (raw) return flowOf(await openInput(path, limits, raw));
  const { fd, name, isFile, chunks, compression } = await openBytes(path);
  if (isFile && !compression) {
    const file = openFile(fd, name, path);
    const chunks = fromStream(file.stream());
    return {
      size: file.size,
      file,
      chunks,
      async keep() {
        await chunks.return(undefined);
        return file;
      },
      close: file.close,
    };
  }
  let spool: Input | undefined;
  return {
    size: undefined,
    chunks: compression ? unpack(chunks, compression, name, limits) : chunks,
    async keep(chunks) {
      spool = await spooled(name, chunks);
      return spool;
    },
    close() {
      spool?.close();
      if (fd > 0) fs.closeSync(fd);
    },
  };
}

/** An input, to be read as it comes. */
function flowOf(input: Input): Flow {
  const chunks = fromStream(input.stream());
  return {
    size: input.size,
    chunks,
    async keep(chunks) {
      // What has not been read yet goes into the input's own copy.
      for await (const chunk of chunks) release(chunk);
      return input;
    },
    close: () => input.close(),
  };
}

/** What a file or a pipe holds, the first bytes of which have been read. */
async function* fdChunks(
  fd: number,
  first: Uint8Array,
  isFile: boolean,
): AsyncGenerator<Uint8Array> {
  if (first.length === 0) return;
  const full = first.length === CHUNK;
  yield first;
  if (full) yield* isFile ? fileChunks(fd) : pipeChunks(fd);
}

/** What a file holds after its first chunk. */
async function* fileChunks(fd: number): AsyncGenerator<Uint8Array> {
  for (let position = CHUNK, count = CHUNK; count === CHUNK;) {
    await takeTurn();
    const buffer = allocate(CHUNK);
    count = readFile(fd, buffer, position);
    position += count;
    if (count > 0) yield count < CHUNK ? buffer.slice(0, count) : buffer;
  }
}
