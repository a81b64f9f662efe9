import { FileError } from "../errors/file_error.ts";
import type { Sink } from "../streams/sink.ts";
import { release } from "../streams/source.ts";
import { checkDots } from "./dotted_path.ts";
import { codeError, errorCode, fileError, writeError } from "./errors.ts";
import { takeTurn, writeFile } from "./fd.ts";
import { FileSink } from "./file_sink.ts";
import { leftovers } from "./leftovers.ts";
import { dirname, fs, process, resolve, type Stats } from "./node.ts";
import { isOutputClosed } from "./null_device.ts";
import { PipeWriter } from "./pipe_writer.ts";
import { openFifo } from "./plain_open.ts";
import { isRoot } from "./own_ids.ts";
import { WriteBack } from "./write_back.ts";
import { endKeptThread } from "./threads.ts";

/** An output: a stream to write to, to be finished or given up. */
export interface Output {
  writable: WritableStream<Uint8Array>;
  /** Puts the file in its place, complete. */
  commit(): Promise<void>;
  /** Removes what was written. */
  abort(): void;
}

/** An output that becomes a file. */
export interface FileOutput extends Output {
  /** The same file, to be written anywhere in it. */
  sink: Sink;
}

/** How {@linkcode openOutput} writes. */
export interface OutputOptions {
  /** Gets the count of bytes of each write. */
  onWritten?: (bytes: number) => void;
  /** Does not wait until the file is on the disk before it gets its name. */
  noFsync?: boolean;
  /** Replaces a symlink, and does not write where it leads. */
  replaceSymlink?: boolean;
}

/**
 * Opens an output. A file is written under a temporary name beside its place,
 * and gets its own name on `commit()`, when it is on the disk; `undefined` is
 * standard output. The new file has the mode of the one that it replaces and,
 * where this user may set them, its owner and group; symlinks still lead to it.
 *
 * The stream's chunks are released when they are written.
 *
 * @throws {FileError} If the file cannot be created.
 */
export async function openOutput(
  path?: string,
  { onWritten = () => {}, noFsync = false }: OutputOptions = {},
): Promise<Output> {
  if (path === undefined || isStandardOutput(path)) {
    if (isOutputClosed()) {
      throw new FileError("Cannot write standard output: it is closed");
    }
    return direct(1, "standard output", onWritten);
  }
  const file = openFileOutput(path, { onWritten, noFsync });
  if (file) return file;
  try {
    const fd = fs.statSync(path).isFIFO()
      ? await openFifo(path)
      : fs.openSync(path, fs.constants.O_WRONLY);
    return direct(fd, path, onWritten);
  } catch (error) {
    throw writeError(path, error);
  }
}

/**
 * As {@linkcode openOutput}, of a file that is new or replaces another one.
 *
 * @returns `undefined` if something else is there. Devices and pipes are
 * written as they are: a rename replaces them.
 */
export function openFileOutput(
  path: string,
  options: OutputOptions = {},
): FileOutput | undefined {
  if (isStandardOutput(path)) return undefined;
  try {
    checkDots(path);
    const there = options.replaceSymlink
      ? unlessSymlink(fs.lstatSync(path, { throwIfNoEntry: false }))
      : fs.statSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory()) {
      throw codeError(`Cannot write ${path}`, "EISDIR");
    }
    // Deno does not mind the slash, unless it may do all.
    if (path.endsWith("/")) throw codeError(`Cannot write ${path}`, "ENOTDIR");
    if (there && !there.isFile()) return undefined;
    return replacing(path, there, options);
  } catch (error) {
    throw writeError(path, error);
  }
}

function unlessSymlink(stat: Stats | undefined): Stats | undefined {
  return stat?.isSymbolicLink() ? undefined : stat;
}

/** Names that lead to standard output, which may be a file to be appended to. */
function isStandardOutput(path: string): boolean {
  return path === "/dev/stdout" || path === "/dev/fd/1" ||
    path === "/proc/self/fd/1";
}

/** An output that is written as it is. */
function direct(
  fd: number,
  name: string,
  onWritten: (bytes: number) => void,
): Output {
  const before = fs.fstatSync(fd);
  // It is written in order, here.
  if (before.isFile()) endKeptThread();
  // Of standard output that is a file, half an archive must not stay there.
  const restore = () => {
    if (!before.isFile()) return;
    try {
      fs.ftruncateSync(fd, before.size);
      // Deno keeps what it could not write, and writes it at its end.
      fs.writeSync(fd, "\n");
      fs.ftruncateSync(fd, before.size);
    } catch {
      // What failed before says more.
    }
  };
  leftovers.add(restore);
  const close = () => {
    leftovers.delete(restore);
    if (fd > 2) fs.closeSync(fd);
    fd = -1;
  };
  return {
    writable: fdWriter(fd, name, before.isFile(), onWritten),
    commit() {
      close();
      return Promise.resolve();
    },
    abort() {
      if (fd >= 0) restore();
      close();
    },
  };
}

/** An output that becomes a file. */
function replacing(
  path: string,
  there: Stats | undefined,
  { onWritten = () => {}, noFsync = false, replaceSymlink }: OutputOptions,
): FileOutput {
  const place = replaceSymlink
    ? path
    : there
    ? fs.realpathSync(path)
    : targetOf(path);
  // Nobody reads what may be secret before it has the mode of its place.
  const sink = new FileSink(place, path, there ? 0o600 : 0o666);
  const back = noFsync ? undefined : new WriteBack(() => sink.path);
  return {
    writable: fdWriter(sink.fd, path, true, onWritten),
    sink,
    async commit() {
      try {
        await back?.stop();
        if (there) keepMetadata(sink.fd, there);
        if (!noFsync) await sync(sink.fd);
        sink.close();
        sink.commit();
        if (!noFsync) await syncDirectory(dirname(place));
      } catch (error) {
        throw writeError(path, error);
      }
    },
    abort() {
      void back?.stop();
      sink.remove();
    },
  };
}

/**
 * Where a symlink without a target leads; the path itself if it is no symlink.
 */
function targetOf(path: string): string {
  let place = path;
  // As many as Linux follows.
  for (let i = 0; i < 40; i++) {
    const link = fs.lstatSync(place, { throwIfNoEntry: false });
    if (!link?.isSymbolicLink()) return place;
    place = resolve(fs.realpathSync(dirname(place)), fs.readlinkSync(place));
  }
  throw codeError(`Cannot write ${path}`, "ELOOP");
}

/** Gives a new file the mode, owner and group of the one that it replaces. */
function keepMetadata(fd: number, { mode, uid, gid }: Stats): void {
  if (process().platform === "win32") return;
  let bits = mode & 0o7777;
  const own = fs.fstatSync(fd);
  if (own.uid !== uid || own.gid !== gid) {
    try {
      fs.fchownSync(fd, isRoot() ? uid : own.uid, gid);
    } catch (error) {
      if (errorCode(error) !== "EPERM") throw error;
      // Its group becomes another one, which may not read more than others.
      bits &= ~0o070 | ((bits & 0o007) << 3);
    }
  }
  // Last: another owner takes set-uid away.
  fs.fchmodSync(fd, bits);
}

/** Waits until a file is on the disk. */
function sync(fd: number): Promise<void> {
  return new Promise((resolve, reject) =>
    fs.fsync(fd, (error) => error ? reject(error) : resolve())
  );
}

/** As {@linkcode sync}, of a directory's names, where the system can do that. */
async function syncDirectory(path: string): Promise<void> {
  let fd = -1;
  try {
    fd = fs.openSync(path, "r");
    await sync(fd);
  } catch {
    // The file itself is on the disk, and has its name.
  } finally {
    if (fd >= 0) fs.closeSync(fd);
  }
}

/** Writes to a file where it is, and to all else in order. */
function fdWriter(
  fd: number,
  name: string,
  isFile: boolean,
  onWritten: (bytes: number) => void,
): WritableStream<Uint8Array> {
  const pipe = isFile ? undefined : new PipeWriter(fd);
  const orThrow = async (write: () => Promise<void> | undefined | void) => {
    try {
      await write();
    } catch (error) {
      throw fileError(`Cannot write ${name}`, error);
    }
  };
  return new WritableStream<Uint8Array>({
    async write(chunk) {
      await orThrow(() => pipe ? pipe.write(chunk) : writeFile(fd, chunk));
      onWritten(chunk.length);
      release(chunk);
      await takeTurn();
    },
    close: () => orThrow(() => pipe?.end()),
    abort: () => pipe?.stop(),
  }, { highWaterMark: 1 });
}
