import {
  type Compression,
  compressionOf,
  LOOKED_AT,
} from "../streams/compression.ts";
import { fs } from "./node.ts";
import { allocate, CHUNK, fromStream, type Source } from "../streams/source.ts";
import { FileError } from "../errors/file_error.ts";
import { codeError, fileError } from "./errors.ts";
import { awaitWriter, openToRead } from "./plain_open.ts";
import { readFile, readPipe, takeTurn } from "./fd.ts";
import { openFile } from "./file_source.ts";
import { openSpool, spooled } from "./spool_file.ts";
import type { Input } from "./input.ts";
import { unpack } from "./decompress.ts";
import type { UnpackLimits } from "./unpack_limits.ts";

/**
 * Opens a file as a source. A pipe, a terminal or a device is read once and
 * goes to a spool file in the temporary directory (`TMPDIR`) meanwhile; so does
 * the content of a compressed file.
 *
 * @param path The file, or `undefined` for standard input.
 * @throws {Error} If it cannot be opened or is a directory.
 */
export async function openInput(
  path: string | undefined,
  limits: UnpackLimits,
): Promise<Input> {
  const { fd, name, isFile, chunks, compression } = await openBytes(path);
  if (!compression) {
    return isFile ? openFile(fd, name) : openSpool(fd, name, chunks);
  }
  const unpacked = unpack(chunks, compression, name, limits);
  return Object.assign(openSpool(fd, name, unpacked), { compression });
}

/** Opens a file or standard input and looks at its first bytes. */
async function openBytes(path: string | undefined): Promise<{
  fd: number;
  name: string;
  isFile: boolean;
  /** All that it holds, first bytes included. */
  chunks: AsyncGenerator<Uint8Array>;
  compression: Compression | undefined;
}> {
  const name = path ?? "standard input";
  const fd = path === undefined ? 0 : openToRead(path);
  try {
    const stat = fs.fstatSync(fd);
    if (stat.isDirectory()) throw codeError(`Cannot read ${name}`, "EISDIR");
    const isFile = stat.isFile();
    const first = new Uint8Array(CHUNK);
    const read = () => readPipe(fd, first);
    const count = isFile
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
 * @throws {Error} If it cannot be opened or is a directory.
 */
export async function openFlow(
  path: string | undefined,
  limits: UnpackLimits,
): Promise<Flow> {
  const { fd, name, isFile, chunks, compression } = await openBytes(path);
  if (isFile && !compression) {
    const file = openFile(fd, name);
    const chunks = fromStream(file.stream());
    return {
      size: file.size,
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

/** What a file or a pipe holds, the first bytes of which have been read. */
async function* fdChunks(
  fd: number,
  first: Uint8Array,
  isFile: boolean,
): AsyncGenerator<Uint8Array> {
  let position = first.length;
  if (position === 0) return;
  const full = position === CHUNK;
  yield first;
  if (!full) return;
  for (;;) {
    const buffer = allocate(CHUNK);
    if (isFile) await takeTurn();
    const count = isFile
      ? readFile(fd, buffer, position)
      : await readPipe(fd, buffer);
    position += count;
    if (count > 0) yield count < CHUNK ? buffer.slice(0, count) : buffer;
    if (count < CHUNK) return;
  }
}
