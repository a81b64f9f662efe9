/**
 * All that needs a runtime's own modules: files, pipes, the process, and the
 * piecewise SHA-256. Only `node:` modules that Deno, Bun and Node all have.
 *
 * @module
 */
import {
  type ChildProcessWithoutNullStreams,
  spawn,
  spawnSync,
} from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { isatty } from "node:tty";
import * as zlib from "node:zlib";
import { isUtf8, utf8 } from "./bytes.ts";
import { type Compression, compressionOf } from "./compression.ts";
import { type FileFacts, fileFacts, fileSeal } from "./file_facts.ts";
import type { ImageFiles } from "./image_files.ts";
import {
  allocate,
  fromStream,
  readAt,
  release,
  type Source,
} from "./source.ts";
import { normalizePath } from "./tar/path.ts";
import { ZstdFrames } from "./zstd_frames.ts";

// Node's own module object would make standard output non-blocking by looking at
// it, and large writes to a pipe wait for nothing then but a timer.
const { process } = globalThis;

/** Bytes read from a file at once. */
const CHUNK = 1 << 18;

/** A SHA-256 that takes its input piece by piece. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** The digest as 64 lower-case hex digits. Ends the hash. */
  hex(): string;
}

/**
 * Starts a SHA-256. WebCrypto's `digest()` takes all bytes at once, which a
 * layer of gigabytes forbids, so this one comes from `node:crypto`.
 */
export function sha256(): Sha256 {
  const hash = createHash("sha256");
  return {
    update: (bytes) => void hash.update(bytes),
    hex: () => hash.digest("hex"),
  };
}

/** The code of a failed system call, such as `ENOENT`, if the error has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error &&
      typeof error.code === "string"
    ? error.code
    : undefined;
}

/** What went wrong with a file, in words that a user of the shell knows. */
const REASONS: Record<string, string> = {
  EACCES: "permission denied",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file is too large for this file system",
  EIO: "input/output error",
  EISDIR: "it is a directory",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on the device",
  ENOTDIR: "a part of the path is no directory",
  EPERM: "operation not permitted",
  EROFS: "the file system is read-only",
};

/** An error that names the file and the reason; keeps the code of the cause. */
export function fileError(what: string, cause: unknown): Error {
  const code = errorCode(cause);
  const reason = (code && REASONS[code]) ??
    (cause instanceof Error ? cause.message : String(cause));
  const error = new Error(`${what}: ${reason}`, { cause });
  return code ? Object.assign(error, { code }) : error;
}

function readOnce(
  fd: number,
  buffer: Uint8Array,
  offset: number,
  position: number | null,
): Promise<number> {
  return new Promise((resolve, reject) =>
    fs.read(
      fd,
      buffer,
      offset,
      buffer.length - offset,
      position,
      (error, count) => error ? reject(error) : resolve(count),
    )
  );
}

function writeOnce(
  fd: number,
  bytes: Uint8Array,
  offset: number,
  position: number | null,
): Promise<number> {
  return new Promise((resolve, reject) =>
    fs.write(
      fd,
      bytes,
      offset,
      bytes.length - offset,
      position,
      (error, count) => error ? reject(error) : resolve(count),
    )
  );
}

/** A pipe that somebody made non-blocking says this when it has no more now. */
async function patiently(call: () => Promise<number>): Promise<number> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (errorCode(error) !== "EAGAIN") throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

/** Fills a buffer as far as the file goes; gives the count of bytes read. */
async function readFully(
  fd: number,
  buffer: Uint8Array,
  position: number | null,
): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const count = await patiently(() =>
      readOnce(
        fd,
        buffer,
        length,
        position === null ? null : position + length,
      )
    );
    if (count === 0) break;
    length += count;
  }
  return length;
}

async function writeFully(
  fd: number,
  bytes: Uint8Array,
  position: number | null = null,
): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    done += await patiently(() =>
      writeOnce(
        fd,
        bytes,
        done,
        position === null ? null : position + done,
      )
    );
  }
}

/** What to do on the way out, however the process ends. */
const leftovers = new Set<() => void>();

/** Removes temporary files; for ends that no `finally` sees, such as Ctrl-C. */
export function cleanUp(): void {
  for (const remove of leftovers) {
    try {
      remove();
    } catch {
      // The process ends anyway, and the other files still need removing.
    }
  }
  leftovers.clear();
}

/** An input: its bytes, and a way to let go of it. */
export interface Input extends Source {
  /** Size in bytes, or `undefined` for a pipe that has not been read yet. */
  readonly size: number | undefined;
  /** The compression that was taken off, if any. */
  readonly compression?: Compression;
  /** Closes the file and removes the spool file, if any. */
  close(): void;
}

/** A stretch of a file as a stream of chunks of up to 1 MiB. */
function fileStream(
  read: (buffer: Uint8Array, position: number) => Promise<number>,
  start: number,
  end: number,
  atEnd: (position: number) => void = () => {},
): ReadableStream<Uint8Array> {
  let position = start;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const want = Math.min(CHUNK, end - position);
      const buffer = allocate(want);
      const count = want === 0 ? 0 : await read(buffer, position);
      position += count;
      if (count > 0) {
        controller.enqueue(count < want ? buffer.slice(0, count) : buffer);
      }
      if (count < want || position >= end) {
        atEnd(position);
        controller.close();
      }
    },
    // One chunk is read while the one before is worked on.
  }, { highWaterMark: 1 });
}

/**
 * Opens a file as a source. A pipe, a terminal or a device is read once and
 * kept in a spool file in the temporary directory (`TMPDIR`) while it is, and
 * so is the content of a compressed file.
 *
 * @param path The file, or `undefined` for standard input.
 * @param maxUnpacked Bytes at most that a compressed file may hold.
 * @throws {Error} If it cannot be opened or is a directory.
 */
export async function openInput(
  path: string | undefined,
  maxUnpacked: number,
): Promise<Input> {
  const { fd, name, isFile, chunks, compression } = await openBytes(path);
  if (!compression) {
    return isFile ? openFile(fd, name) : openSpool(fd, name, chunks);
  }
  const unpacked = limited(
    unpack(chunks, compression, name),
    maxUnpacked,
    name,
  );
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
  let fd = -1;
  try {
    fd = path === undefined ? 0 : fs.openSync(path, "r");
    const stat = fs.fstatSync(fd);
    if (stat.isDirectory()) {
      throw Object.assign(new Error("directory"), { code: "EISDIR" });
    }
    const isFile = stat.isFile();
    const first = new Uint8Array(CHUNK);
    const count = await readFully(fd, first, isFile ? 0 : null);
    const compression = compressionOf(first.subarray(0, count));
    const chunks = fdChunks(fd, first.slice(0, count), isFile);
    return { fd, name, isFile, chunks, compression };
  } catch (error) {
    if (fd > 0) fs.closeSync(fd);
    throw fileError(`Cannot read ${name}`, error);
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
 * Opens a file or a pipe to be read once, with its compression taken off. Nothing
 * of it is kept anywhere.
 *
 * @param path The file, or `undefined` for standard input.
 * @param maxUnpacked Bytes at most that a compressed file may hold.
 * @throws {Error} If it cannot be opened or is a directory.
 */
export async function openFlow(
  path: string | undefined,
  maxUnpacked: number,
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
    chunks: compression
      ? limited(unpack(chunks, compression, name), maxUnpacked, name)
      : chunks,
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
  positioned: boolean,
): AsyncGenerator<Uint8Array> {
  let position = first.length;
  if (position === 0) return;
  const full = position === CHUNK;
  yield first;
  if (!full) return;
  for (;;) {
    const buffer = allocate(CHUNK);
    const count = await readFully(fd, buffer, positioned ? position : null);
    position += count;
    if (count > 0) yield count < CHUNK ? buffer.slice(0, count) : buffer;
    if (count < CHUNK) return;
  }
}

function openFile(fd: number, name: string): Input & { size: number } {
  const before = fs.fstatSync(fd, { bigint: true });
  const size = Number(before.size);
  const changed = () => {
    const now = fs.fstatSync(fd, { bigint: true });
    return now.size !== before.size || now.mtimeNs !== before.mtimeNs;
  };
  const stretch = (start: number, end: number) =>
    fileStream(
      async (buffer, position) => {
        try {
          return await readFully(fd, buffer, position);
        } catch (error) {
          throw fileError(`Cannot read ${name}`, error);
        }
      },
      start,
      Math.min(end, size),
      (position) => {
        if (position < Math.min(end, size) || changed()) {
          throw new Error(`${name} changed while it was read; try again`);
        }
      },
    );
  return {
    size,
    isSteady: true,
    stream: () => stretch(0, size),
    slice: (start, end) => ({ stream: () => stretch(start, end) }),
    close: () => fd === 0 || fs.closeSync(fd),
  };
}

/** Bytes that can be read once only, kept in a spool file while they are read. */
function openSpool(
  fd: number,
  name: string,
  chunks: AsyncGenerator<Uint8Array>,
): Input {
  const path = join(tmpdir(), `ciso-${crypto.randomUUID()}.spool`);
  let spool = -1;
  /** Bytes that the spool file holds; all later reads wait for the writes. */
  let size = 0;
  let writing = Promise.resolve();
  let complete = false;
  let remove = () => {};

  const spoolError = (cause: unknown) =>
    fileError(
      `Cannot keep ${name} in ${dirname(path)} (choose another directory ` +
        "with TMPDIR, or give an uncompressed file)",
      cause,
    );

  function open(): void {
    try {
      spool = fs.openSync(path, "wx+", 0o600);
    } catch (error) {
      throw spoolError(error);
    }
    // A file without a name goes away with the process, however that ends.
    try {
      fs.unlinkSync(path);
    } catch {
      remove = () => fs.unlinkSync(path);
      leftovers.add(remove);
    }
  }

  const fromSpool = (start: number, end: number) =>
    fileStream(
      async (buffer, position) => {
        await writing;
        return await readFully(spool, buffer, position);
      },
      start,
      end,
    );

  /** Writes behind the reader's back; the next chunk waits for it. */
  async function keep(chunk: Uint8Array): Promise<void> {
    // The reader may change or release its chunk before the write is done.
    const copy = chunk.slice();
    const position = size;
    size += chunk.length;
    await writing;
    writing = writeFully(spool, copy, position).then(
      () => release(copy),
      (error) => {
        throw spoolError(error);
      },
    );
    // Its failure is seen by the next one, who awaits it.
    writing.catch(() => {});
  }

  return {
    get size() {
      return complete ? size : undefined;
    },
    // Nobody else can open it.
    isSteady: true,
    stream() {
      if (complete) return fromSpool(0, size);
      if (spool >= 0) throw new Error(`${name} is being read already`);
      open();
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          const { value, done } = await chunks.next();
          if (!done) {
            await keep(value);
            controller.enqueue(value);
            return;
          }
          await writing;
          complete = true;
          controller.close();
        },
        async cancel() {
          await chunks.return(undefined);
        },
      }, { highWaterMark: 1 });
    },
    slice: (start, end) => ({
      stream: () => fromSpool(start, Math.min(end, size)),
    }),
    close() {
      if (spool >= 0) fs.closeSync(spool);
      if (fd > 0) fs.closeSync(fd);
      remove();
      leftovers.delete(remove);
    },
  };
}

/** Takes a compression off, by the runtime's own code or by a program. */
async function* unpack(
  chunks: AsyncGenerator<Uint8Array>,
  compression: Compression,
  name: string,
): AsyncGenerator<Uint8Array> {
  const options = { chunkSize: CHUNK };
  const inflate = compression === "gzip"
    ? zlib.createGunzip(options)
    : compression === "zstd"
    ? zstdInflate(options)
    : undefined;
  if (inflate) {
    const frames = compression === "zstd" ? new ZstdFrames() : undefined;
    const input = Readable.from(frames ? followed(chunks, frames) : chunks);
    let failure: unknown;
    input.on("error", (error) => {
      failure = error;
      inflate.destroy(error);
    });
    input.pipe(inflate);
    try {
      for await (const chunk of inflate) yield ownBytes(chunk);
      if (frames && !frames.isComplete) throw new Error("The frame goes on");
    } catch (error) {
      // Reading the compressed bytes has failed: its own message says more.
      if (failure) throw failure;
      const code = errorCode(error);
      if (code && code in REASONS) throw error;
      throw new Error(
        `${name}: the ${compression} data are damaged or cut short`,
        { cause: error },
      );
    } finally {
      input.destroy();
      inflate.destroy();
    }
    return;
  }
  yield* unpackBy(compression, chunks, name);
}

/** Passes chunks on, and shows them to one who follows the frames. */
async function* followed(
  chunks: AsyncGenerator<Uint8Array>,
  frames: ZstdFrames,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    frames.feed(chunk);
    yield chunk;
  }
}

/** The runtime's own zstd: Bun and newer versions of Deno and Node have it. */
function zstdInflate(options: { chunkSize: number }): zlib.Gunzip | undefined {
  if (!("createZstdDecompress" in zlib)) return undefined;
  try {
    const create = zlib.createZstdDecompress as typeof zlib.createGunzip;
    // ZSTD_d_windowLogMax: windows above 128 MiB have to be asked for.
    const params = { 100: 31 };
    return create({ ...options, params } as zlib.ZlibOptions);
  } catch {
    // Deno 2.6 has the name, and nothing behind it.
    return undefined;
  }
}

/** Takes a compression off by the program of the same name. */
async function* unpackBy(
  program: string,
  chunks: AsyncGenerator<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array> {
  const missing = (cause: unknown) =>
    new Error(
      `${name} is compressed with ${program}, which needs the program ` +
        `${program}: install it${
          "Deno" in globalThis
            ? `, and under deno run allow it with --allow-run=${program}`
            : ""
        }, or decompress the file first`,
      { cause },
    );
  let started = true;
  let child: ChildProcessWithoutNullStreams;
  try {
    // zstd refuses windows above 128 MiB unless it is asked for more.
    const args = program === "zstd" ? ["-dc", "--long=31"] : ["-dc"];
    child = spawn(program, args, { stdio: "pipe" });
    child.on("error", () => {
      started = false;
    });
  } catch (error) {
    throw missing(error);
  }
  // Without permission Deno gives a child that has no streams.
  if (!child.stdin) throw missing(undefined);
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (code) => resolve(code));
    child.on("error", () => resolve(null));
  });
  child.stdin.on("error", () => {});
  const input = Readable.from(chunks);
  input.on("error", (error) => child.stdout.destroy(error));
  input.pipe(child.stdin);
  child.stderr.resume();
  try {
    try {
      for await (const chunk of child.stdout) yield ownBytes(chunk);
    } catch (error) {
      // Bun closes the stream of a program that it does not find.
      child.kill();
      await ended;
      throw started ? error : missing(error);
    }
    const code = await ended;
    if (!started) throw missing(undefined);
    if (code !== 0) {
      throw new Error(`${name}: the ${program} data are damaged or cut short`);
    }
  } finally {
    input.destroy();
    child.kill();
  }
}

/** A copy that is the whole of its buffer; Node's are slices of shared ones. */
function ownBytes(chunk: Uint8Array): Uint8Array {
  return chunk.byteLength === chunk.buffer.byteLength
    ? new Uint8Array(chunk.buffer as ArrayBuffer)
    : new Uint8Array(chunk);
}

/** Refuses more bytes than a limit: a small file can hold terabytes of zeros. */
async function* limited(
  chunks: AsyncGenerator<Uint8Array>,
  limit: number,
  name: string,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > limit) {
      throw new Error(
        `${name} holds more than ${limit} bytes when it is decompressed; if ` +
          "it shall, raise the limit with --max-unpacked",
      );
    }
    yield chunk;
  }
}

/**
 * Keeps a layer that cannot stay as it is in a spool file.
 *
 * @param chunks Its bytes; read to their end.
 * @returns The same bytes, to be read as often as needed.
 */
export async function spoolLayer(
  chunks: AsyncGenerator<Uint8Array>,
): Promise<Input> {
  return await spooled("a layer", chunks);
}

async function spooled(
  name: string,
  chunks: AsyncGenerator<Uint8Array>,
): Promise<Input> {
  const input = openSpool(-1, name, chunks);
  for await (const chunk of fromStream(input.stream())) release(chunk);
  return input;
}

/**
 * Takes the compression off a layer of an image, if it has one.
 *
 * @param source The layer as its image holds it.
 * @param name What messages call it.
 * @param maxUnpacked Bytes at most that it may hold.
 * @param digest SHA-256 of the compressed bytes in hex, where the image says it.
 * @returns The uncompressed layer: the source itself, or an {@linkcode Input}.
 */
export async function unpackLayer(
  source: Source,
  name: string,
  maxUnpacked: number,
  digest?: string,
): Promise<{ source: Source; compression?: Compression }> {
  const compression = compressionOf(await readAt(source, 0, 8));
  if (!compression) return { source };
  async function* checked() {
    const hash = sha256();
    for await (const chunk of fromStream(source.stream())) {
      hash.update(chunk);
      yield chunk;
    }
    if (digest && hash.hex() !== digest) {
      throw new Error(`${name} is damaged: its digest is not sha256:${digest}`);
    }
  }
  const chunks = unpack(checked(), compression, name);
  return {
    source: openSpool(-1, name, limited(chunks, maxUnpacked, name)),
    compression,
  };
}

/** The files of an image that stand in a directory, such as an OCI layout. */
export function directoryFiles(path: string): ImageFiles {
  return {
    hasRootfs: false,
    open(name) {
      let file = path;
      let fd;
      try {
        const inside = normalizePath(utf8(name));
        if (inside.length === 0) return Promise.resolve(undefined);
        file = join(path, new TextDecoder().decode(inside));
        fd = fs.openSync(file, "r");
      } catch (error) {
        // A name that climbs out of the directory is as good as none.
        const code = error instanceof RangeError ? "ENOENT" : errorCode(error);
        if (code === "ENOENT" || code === "ENOTDIR") {
          return Promise.resolve(undefined);
        }
        return Promise.reject(fileError(`Cannot read ${file}`, error));
      }
      return Promise.resolve(openFile(fd, file));
    },
  };
}

/** A plain file that is open. */
export interface OpenFile {
  /** As {@linkcode FileFacts.seal}. */
  seal(): number;
  /** Fills a buffer as far as the file goes; gives the count of bytes read. */
  read(buffer: Uint8Array, position: number): number | Promise<number>;
  close(): void;
}

/** Bytes at most that are quicker read at once than by another thread. */
const SMALL = 1 << 16;

const isDeno = "Deno" in globalThis;

/**
 * The files of a tree. Paths are bytes, which need not be UTF-8. All throw the
 * runtime's own errors.
 */
export const files = {
  /** Whether this runtime hides some of what it should say, see `lib/find.ts`. */
  hidesFacts: isDeno && process.platform === "linux",
  /** The names in a directory, in no order. Deno leaves out those not UTF-8. */
  namesIn(path: Uint8Array): Uint8Array[] {
    if (isDeno) return fs.readdirSync(fsPath(path)).map(utf8);
    return fs.readdirSync(fsPath(path), { encoding: "buffer" });
  },
  /** What a file is. Deno cuts times to milliseconds. */
  facts(path: Uint8Array): FileFacts {
    return fileFacts(fs.lstatSync(fsPath(path), { bigint: true }));
  },
  /** As {@linkcode FileFacts.seal}. */
  seal(path: Uint8Array): number {
    return fileSeal(fs.lstatSync(fsPath(path), { bigint: true }));
  },
  /** A symlink's target; `undefined` where Deno cannot tell: it is not UTF-8. */
  target(path: Uint8Array): Uint8Array | undefined {
    if (!isDeno) return fs.readlinkSync(fsPath(path), { encoding: "buffer" });
    try {
      return utf8(fs.readlinkSync(fsPath(path)));
    } catch (error) {
      if (errorCode(error) === undefined && files.hidesFacts) return undefined;
      throw error;
    }
  },
  /** Opens a file to be read. No symlink is followed and no pipe waited for. */
  open(path: Uint8Array): OpenFile {
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
    const fd = fs.openSync(fsPath(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    return {
      seal: () => fileSeal(fs.fstatSync(fd, { bigint: true })),
      read(buffer, position) {
        if (buffer.length > SMALL) return readFully(fd, buffer, position);
        let length = 0;
        while (length < buffer.length) {
          const room = buffer.length - length;
          const at = position + length;
          const count = fs.readSync(fd, buffer, length, room, at);
          if (count === 0) break;
          length += count;
        }
        return length;
      },
      close: () => fs.closeSync(fd),
    };
  },
  /**
   * What an output must not be part of a tree by: the identity of the directory
   * that it goes to, or of standard output itself where that is a file.
   */
  outputIdentity(path: string | undefined): string | undefined {
    try {
      if (path === undefined) {
        const stat = fs.fstatSync(1, { bigint: true });
        return stat.isFile() ? fileFacts(stat).identity : undefined;
      }
      const there = fs.statSync(path, { throwIfNoEntry: false });
      if (there && !there.isFile()) return undefined;
      const place = dirname(there ? fs.realpathSync(path) : path);
      return fileFacts(fs.statSync(place, { bigint: true })).identity;
    } catch {
      // Opening it will say what is wrong.
      return undefined;
    }
  },
};

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A path for `node:fs`, whose types do not know that bytes will do. */
function fsPath(path: Uint8Array): string {
  return isDeno ? decoder.decode(path) : path as unknown as string;
}

/**
 * Runs a program in a directory.
 *
 * @returns What it writes to standard output. What it says of errors, and its
 * exit code, are passed over.
 * @throws {Error} If it cannot be started.
 */
export async function* outputOf(
  program: string,
  args: string[],
  cwd: string,
): AsyncGenerator<Uint8Array> {
  const child = spawn(program, args, {
    cwd,
    stdio: ["ignore", "pipe", "ignore"],
  });
  let failure: unknown;
  const ended = new Promise<void>((resolve) => {
    child.on("close", () => resolve());
    child.on("error", (error) => {
      failure = error;
      resolve();
    });
  });
  // Without permission Deno gives a child that has no streams.
  if (!child.stdout) throw new Error(`Cannot start ${program}`);
  const chunks = child.stdout[Symbol.asyncIterator]();
  let result = await chunks.next();
  try {
    for (; !result.done; result = await chunks.next()) yield result.value;
  } finally {
    // Read to the end even so: Deno takes an end before it for a failure.
    child.kill();
    while (!result.done) result = await chunks.next();
    await ended;
  }
  if (failure) throw failure;
}

/** What a file of a tree gets besides its contents. */
export interface FileMetadata {
  /** Permission bits, with set-uid, set-gid and sticky. */
  mode: number;
  uid: number;
  gid: number;
  /** Modification time in seconds since 1970, with their fraction. */
  mtime: number;
}

/** A file of a tree that is being written. */
export interface NewFile {
  write(bytes: Uint8Array): void;
  /** Sets size and metadata, and closes it. */
  end(size: number, metadata: FileMetadata): void;
}

/**
 * Writes the files of a tree, whose paths are bytes. Nothing is replaced and no
 * symlink followed, if all directories that the paths lead through were made
 * here. Owners are set for root only. All throw the system's own errors.
 */
export const newFiles = {
  /** Whether this process may give files away and make devices. */
  isRoot: (): boolean => newFiles.ids().uid === 0,
  /** Numbers of the user and the group that new files belong to. */
  ids(): { uid: number; gid: number } {
    if (ownIds) return ownIds;
    // Asking the process would need another permission under Deno.
    const directory = fs.mkdtempSync(join(tmpdir(), "ciso-"));
    try {
      const { uid, gid } = fs.statSync(directory);
      return ownIds = { uid, gid };
    } finally {
      fs.rmdirSync(directory);
    }
  },
  /** Makes a directory, for the time being with all rights for its owner only. */
  directory: (path: Uint8Array): void => fs.mkdirSync(newPath(path), 0o700),
  file(path: Uint8Array): NewFile {
    const fd = fs.openSync(newPath(path), "wx", 0o600);
    return {
      write(bytes) {
        for (let at = 0; at < bytes.length;) {
          at += fs.writeSync(fd, bytes, at, bytes.length - at);
        }
      },
      end(size, { mode, uid, gid, mtime }) {
        try {
          fs.ftruncateSync(fd, size);
          if (newFiles.isRoot()) fs.fchownSync(fd, uid, gid);
          // Another owner takes set-uid away.
          fs.fchmodSync(fd, mode);
          fs.futimesSync(fd, fileTime(mtime), fileTime(mtime));
        } finally {
          fs.closeSync(fd);
        }
      },
    };
  },
  /**
   * Makes a symlink.
   *
   * @returns What is still to be done, if anything: giving it to its owner.
   */
  symlink(
    path: Uint8Array,
    target: Uint8Array,
    { uid, gid, mtime }: FileMetadata,
  ): Promise<void> | undefined {
    const name = newPath(path);
    fs.symlinkSync(newPath(target), name);
    fs.lutimesSync(name, fileTime(mtime), fileTime(mtime));
    // Deno has no other call for this.
    if (newFiles.isRoot() && (uid > 0 || gid > 0)) {
      return fs.promises.lchown(name, uid, gid);
    }
    return undefined;
  },
  /** Makes another path of a file. A symlink is not followed, but copied. */
  hardLink(path: Uint8Array, target: Uint8Array): void {
    const from = newPath(target);
    if (fs.lstatSync(from).isSymbolicLink()) {
      fs.symlinkSync(fs.readlinkSync(from), newPath(path));
    } else fs.linkSync(from, newPath(path));
  },
  /**
   * Makes a device or a FIFO, which takes the program `mknod`.
   *
   * @param type `c`, `b` or `p`.
   * @returns Whether that worked.
   */
  special(path: Uint8Array, type: string, numbers: number[]): boolean {
    if (!isUtf8(path)) return false;
    const args = [decoder.decode(path), type, ...numbers.map(String)];
    return runQuietly("mknod", args) === true;
  },
  /** Sets what {@linkcode newFiles.directory} and `special` leave open. */
  metadata(path: Uint8Array, { mode, uid, gid, mtime }: FileMetadata): void {
    const name = newPath(path);
    if (newFiles.isRoot()) fs.chownSync(name, uid, gid);
    fs.chmodSync(name, mode);
    fs.utimesSync(name, fileTime(mtime), fileTime(mtime));
  },
};

/** A time as `node:fs` takes it: a number below zero would mean now to it. */
function fileTime(seconds: number): number | Date {
  // Deno takes no part of a second there.
  return seconds < 0 ? new Date(Math.floor(seconds) * 1000) : seconds;
}

let ownIds: { uid: number; gid: number } | undefined;

/** As {@linkcode fsPath}, for a file that is to be made. */
function newPath(path: Uint8Array): string {
  if (isDeno && !isUtf8(path)) {
    throw new Error(
      "Deno takes no file name that is not UTF-8; use Node or Bun, or unpack it " +
        "by: ciso export --as bundle | tar -x -C DIR",
    );
  }
  return fsPath(path);
}

/** A directory to be filled. */
export interface NewDirectory {
  /** Where the files are to be written. */
  readonly path: string;
  /** Puts it in its place, complete. */
  commit(): void;
  /** Leaves nothing of it behind. */
  abort(): void;
}

/**
 * Opens a directory to be filled: a new one, which is filled under a temporary
 * name beside its place and gets its own name on `commit()`, or an empty one.
 *
 * @throws {Error} If it cannot be made or is not empty.
 */
export function openNewDirectory(path: string): NewDirectory {
  try {
    const there = fs.statSync(path, { throwIfNoEntry: false });
    if (there && fs.readdirSync(path).length > 0) {
      throw new Error("it is not empty; give a new directory, or an empty one");
    }
    const clean = path.replace(/(?<=.)\/+$/, "");
    const place = there ? path : join(
      dirname(clean),
      `.${basename(clean).slice(0, 200)}.${crypto.randomUUID().slice(0, 8)}`,
    );
    if (!there) fs.mkdirSync(place);
    const remove = () => {
      const names = there ? fs.readdirSync(place) : [""];
      for (const name of names) {
        fs.rmSync(join(place, name), { recursive: true, force: true });
      }
    };
    leftovers.add(remove);
    return {
      path: place,
      commit() {
        try {
          if (!there) fs.renameSync(place, clean);
        } catch (error) {
          throw fileError(`Cannot write ${path}`, error);
        }
        leftovers.delete(remove);
      },
      abort() {
        remove();
        leftovers.delete(remove);
      },
    };
  } catch (error) {
    throw fileError(`Cannot write ${path}`, error);
  }
}

/** A temporary directory, for a file that must have a certain name. */
export function openTemporary(): { path: string; remove(): void } {
  const path = fs.mkdtempSync(join(tmpdir(), "ciso-"));
  const remove = () => fs.rmSync(path, { recursive: true, force: true });
  leftovers.add(remove);
  return {
    path,
    remove() {
      remove();
      leftovers.delete(remove);
    },
  };
}

/**
 * Runs a program, for its exit code alone.
 *
 * @param milliseconds How long it may take.
 * @returns Whether it ended well; `undefined` if it could not be started: it is
 * not there, or this runtime forbids it.
 */
export function runQuietly(
  program: string,
  args: string[],
  milliseconds = 30_000,
): boolean | undefined {
  try {
    const { status, signal } = spawnSync(program, args, {
      stdio: "ignore",
      timeout: milliseconds,
    });
    if (signal) return false;
    return typeof status === "number" ? status === 0 : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs a program to its end, with this one's standard output and standard error.
 *
 * @param input What it gets on its standard input; nothing unless given. When
 * that fails, the program is ended.
 * @returns Its exit code.
 * @throws {Error} If it cannot be started, or what the input throws.
 */
export async function runProgram(
  program: string,
  args: string[],
  input?: AsyncIterable<Uint8Array>,
): Promise<number> {
  const child = spawn(program, args, {
    stdio: [input ? "pipe" : "ignore", "inherit", "inherit"],
  });
  let failure: Error | undefined;
  const ended = new Promise<number>((resolve) => {
    child.on("error", (error) => {
      failure = error;
      resolve(-1);
    });
    // As a shell says it when a signal ended it.
    child.on("close", (code) => resolve(code ?? 128));
  });
  const kill = () => void child.kill();
  leftovers.add(kill);
  try {
    const { stdin } = child;
    // Without permission Deno gives a child that has no streams.
    if (input && stdin) {
      // It need not read to the end; its exit code tells whether that was right.
      stdin.on("error", () => {});
      for await (const chunk of input) {
        const isOpen = await new Promise<boolean>((resolve) =>
          stdin.write(chunk, (error) => resolve(!error))
        );
        if (!isOpen) break;
        release(chunk);
      }
      stdin.end();
    }
    const code = await ended;
    if (failure) {
      throw new Error(`Cannot run ${program}: ${failure.message}`, {
        cause: failure,
      });
    }
    return code;
  } catch (error) {
    kill();
    await ended;
    throw error;
  } finally {
    leftovers.delete(kill);
  }
}

/** An output: a stream to write to, to be finished or given up. */
export interface Output {
  writable: WritableStream<Uint8Array>;
  /** Puts the file in its place, complete. */
  commit(): void;
  /** Leaves nothing of it behind. */
  abort(): void;
}

/**
 * Opens an output. A file is written under a temporary name beside its place
 * and gets its own name on `commit()`; `undefined` is standard output.
 *
 * The stream's chunks are released when they are written.
 *
 * @param onWritten Is told how many more bytes have been written.
 * @throws {Error} If the file cannot be created.
 */
export function openOutput(
  path?: string,
  onWritten: (bytes: number) => void = () => {},
): Output {
  if (path === undefined) {
    return {
      writable: fdWriter(1, "standard output", onWritten),
      commit() {},
      abort() {},
    };
  }
  // Devices and pipes are written as they are: a rename would replace them.
  const there = fs.statSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory()) {
    throw new Error(`Cannot write ${path}: it is a directory`);
  }
  const special = there !== undefined && !there.isFile();
  // A symlink stays one: its target is replaced.
  const place = there?.isFile() ? fs.realpathSync(path) : path;
  const temporary = special ? path : join(
    dirname(place),
    `.${basename(place).slice(0, 200)}.${crypto.randomUUID().slice(0, 8)}`,
  );
  let fd: number;
  try {
    fd = fs.openSync(temporary, special ? "w" : "wx", 0o666);
  } catch (error) {
    throw fileError(`Cannot write ${path}`, error);
  }
  const remove = () => fs.rmSync(temporary, { force: true });
  if (!special) leftovers.add(remove);
  const close = () => {
    if (fd >= 0) fs.closeSync(fd);
    fd = -1;
  };
  return {
    writable: fdWriter(fd, path, onWritten),
    commit() {
      try {
        close();
        if (!special) fs.renameSync(temporary, place);
        leftovers.delete(remove);
      } catch (error) {
        throw fileError(`Cannot write ${path}`, error);
      }
    },
    abort() {
      close();
      if (special) return;
      remove();
      leftovers.delete(remove);
    },
  };
}

function fdWriter(
  fd: number,
  name: string,
  onWritten: (bytes: number) => void,
): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    async write(chunk) {
      try {
        await writeFully(fd, chunk);
      } catch (error) {
        throw fileError(`Cannot write ${name}`, error);
      }
      onWritten(chunk.length);
      release(chunk);
    },
  }, { highWaterMark: 1 });
}

/** What a program sees of its process. */
export const host = {
  /** The words behind the program's name. */
  get args(): string[] {
    return process.argv.slice(2);
  },
  env: (name: string): string | undefined => process.env[name] || undefined,
  isTerminal: (fd: 0 | 1 | 2): boolean => isatty(fd),
  /** Columns of the terminal on standard error. */
  columns: (): number => process.stderr.columns || 80,
  /** Writes text to standard error, or to standard output. */
  print(text: string, fd: 1 | 2 = 2): void {
    try {
      fs.writeSync(fd, text);
    } catch (error) {
      // What cannot be told on standard error cannot be told at all, and a
      // reader of standard output that has gone away wants to hear no more.
      if (fd === 2 || errorCode(error) === "EPIPE") return;
      throw fileError("Cannot write standard output", error);
    }
  },
  /** Tells whether a program of that name is on PATH. */
  hasProgram(name: string): boolean {
    const windows = process.platform === "win32";
    return (process.env.PATH ?? "").split(windows ? ";" : ":").some((path) => {
      try {
        const stat = fs.statSync(join(path, windows ? `${name}.exe` : name));
        return stat.isFile() && (windows || (stat.mode & 0o111) !== 0);
      } catch {
        return false;
      }
    });
  },
  isDirectory: (path: string): boolean =>
    fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  /** A small text file, whole. */
  readText(path: string): string {
    try {
      return fs.readFileSync(path, "utf8");
    } catch (error) {
      throw fileError(`Cannot read ${path}`, error);
    }
  },
  /** Calls `handle` with the exit code when the user or the system says stop. */
  onSignal(handle: (exitCode: number) => void): void {
    process.on("SIGINT", () => handle(130));
    process.on("SIGTERM", () => handle(143));
    if (process.platform !== "win32") process.on("SIGHUP", () => handle(129));
  },
  exit: (code: number): never => process.exit(code),
};
