import { FileError } from "../errors/file_error.ts";
import { fs } from "./node.ts";
import { release } from "../streams/source.ts";
import { fileError } from "./errors.ts";
import { takeTurn, writeFile, writePipe } from "./fd.ts";
import { leftovers } from "./leftovers.ts";
import { temporaryName } from "./temporary_name.ts";

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
    throw new FileError(`Cannot write ${path}: it is a directory`);
  }
  const special = there !== undefined && !there.isFile();
  // A symlink stays one: its target is replaced.
  const place = there?.isFile() ? fs.realpathSync(path) : path;
  const temporary = special ? path : temporaryName(place);
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
  let isFile: boolean | undefined;
  return new WritableStream<Uint8Array>({
    async write(chunk) {
      try {
        isFile ??= fs.fstatSync(fd).isFile();
        if (isFile) writeFile(fd, chunk);
        else await writePipe(fd, chunk);
      } catch (error) {
        throw fileError(`Cannot write ${name}`, error);
      }
      onWritten(chunk.length);
      release(chunk);
      await takeTurn();
    },
  }, { highWaterMark: 1 });
}
