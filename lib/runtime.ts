/**
 * All that needs a runtime's own modules: files, pipes, the process, and the
 * piecewise SHA-256. Only `node:` modules that Deno, Bun and Node all have.
 *
 * @module
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { isatty } from "node:tty";
import type { Source } from "./source.ts";
import { release } from "./source.ts";

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
function fileError(what: string, cause: unknown): Error {
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
      await new Promise((resolve) => setTimeout(resolve, 5));
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
      const buffer = new Uint8Array(want);
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
 * kept in a spool file in the temporary directory (`TMPDIR`) while it is.
 *
 * @param path The file, or `undefined` for standard input.
 * @throws {Error} If it cannot be opened or is a directory.
 */
export function openInput(path?: string): Input {
  const name = path ?? "standard input";
  try {
    const fd = path === undefined ? 0 : fs.openSync(path, "r");
    const stat = fs.fstatSync(fd);
    if (stat.isDirectory()) {
      throw Object.assign(new Error("directory"), { code: "EISDIR" });
    }
    return stat.isFile() ? openFile(fd, name) : openPipe(fd, name);
  } catch (error) {
    throw fileError(`Cannot read ${name}`, error);
  }
}

function openFile(fd: number, name: string): Input {
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
    stream: () => stretch(0, size),
    slice: (start, end) => ({ stream: () => stretch(start, end) }),
    close: () => fd === 0 || fs.closeSync(fd),
  };
}

function openPipe(fd: number, name: string): Input {
  const spoolPath = join(
    tmpdir(),
    `ciso-${crypto.randomUUID()}.spool`,
  );
  let spool = -1;
  /** Bytes that the spool file holds; all later reads wait for the writes. */
  let size = 0;
  let writing = Promise.resolve();
  let complete = false;

  function open(): void {
    try {
      spool = fs.openSync(spoolPath, "wx+", 0o600);
    } catch (error) {
      throw spoolError(error);
    }
    // A file without a name goes away with the process, however that ends.
    try {
      fs.unlinkSync(spoolPath);
    } catch {
      leftovers.add(() => fs.unlinkSync(spoolPath));
    }
  }

  const spoolError = (cause: unknown) =>
    fileError(
      `Cannot keep ${name} in ${dirname(spoolPath)} (choose another ` +
        "directory with TMPDIR, or give a file instead of a pipe)",
      cause,
    );

  const fromSpool = (start: number, end: number) =>
    fileStream(
      async (buffer, position) => {
        await writing;
        return await readFully(spool, buffer, position);
      },
      start,
      end,
    );

  async function read(buffer: Uint8Array): Promise<number> {
    let count;
    try {
      count = await readFully(fd, buffer, null);
    } catch (error) {
      throw fileError(`Cannot read ${name}`, error);
    }
    if (count > 0) {
      // The reader may change or release its chunk before the write is done.
      const copy = buffer.slice(0, count);
      const position = size;
      size += count;
      await writing;
      writing = writeFully(spool, copy, position).then(
        () => release(copy),
        (error) => {
          throw spoolError(error);
        },
      );
      // Its failure is seen by the next read, which awaits it.
      writing.catch(() => {});
    }
    return count;
  }

  return {
    get size() {
      return complete ? size : undefined;
    },
    stream() {
      if (complete) return fromSpool(0, size);
      if (spool >= 0) throw new Error("The pipe is being read already");
      open();
      let failed = false;
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          const buffer = new Uint8Array(CHUNK);
          const count = await read(buffer);
          if (count > 0) {
            controller.enqueue(
              count < CHUNK ? buffer.slice(0, count) : buffer,
            );
          }
          if (count < CHUNK && !failed) {
            await writing;
            complete = true;
            controller.close();
          }
        },
        cancel() {
          failed = true;
        },
      }, { highWaterMark: 1 });
    },
    slice: (start, end) => ({ stream: () => fromSpool(start, end) }),
    close() {
      if (spool >= 0) fs.closeSync(spool);
      if (fd !== 0) fs.closeSync(fd);
    },
  };
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
      // Nobody listens there any more: nothing to tell and nobody to tell it.
      if (errorCode(error) !== "EPIPE") throw error;
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
