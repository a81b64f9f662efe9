import { concat } from "../streams/bytes.ts";
import { FileError } from "../errors/file_error.ts";
import { checkDots } from "./dotted_path.ts";
import { codeError, errorCode, fileError } from "./errors.ts";
import { fs } from "./node.ts";

/** Milliseconds that ciso waits for the other end of a pipe. */
const PATIENCE = 3000;
/** Milliseconds between two tries. */
const PAUSE = 20;

/**
 * Opens a file or a pipe to be read. Of a pipe with a name (FIFO) the other end
 * must be there within seconds: an open that waits gets no signals.
 *
 * @param name What messages call it.
 * @throws {FileError} If it cannot be opened or is a directory.
 */
export function openToRead(path: string, name = path): number {
  const { O_RDONLY, O_NONBLOCK = 0 } = fs.constants;
  let fd = -1;
  try {
    checkDots(path);
    const isFifo = fs.statSync(path).isFIFO();
    fd = fs.openSync(path, O_RDONLY | (isFifo ? O_NONBLOCK : 0));
    if (fs.fstatSync(fd).isDirectory()) {
      throw codeError(`Cannot read ${name}`, "EISDIR");
    }
    // Deno does not mind the slash, unless it may do all.
    if (path.endsWith("/")) throw codeError(`Cannot read ${name}`, "ENOTDIR");
    return fd;
  } catch (error) {
    if (fd >= 0) fs.closeSync(fd);
    throw error instanceof FileError
      ? error
      : fileError(`Cannot read ${name}`, error);
  }
}

/**
 * Opens a file that must be a plain one, such as a document of an image: with a
 * pipe or a device in its place ciso waits, or reads without end.
 *
 * @throws {FileError} If it is something else; or the system's own error.
 */
export function openPlain(path: string): number {
  const { O_RDONLY, O_NONBLOCK = 0 } = fs.constants;
  const fd = fs.openSync(path, O_RDONLY | O_NONBLOCK);
  if (fs.fstatSync(fd).isFile()) return fd;
  fs.closeSync(fd);
  throw new FileError(`Cannot read ${path}: it is not a regular file`);
}

/**
 * Waits until somebody has a pipe open for writing and has written to it.
 *
 * @param first Tries to read from it, and gives the count of bytes.
 * @returns What `first` gives in the end.
 * @throws {FileError} If nobody comes.
 */
export async function awaitWriter(
  first: () => Promise<number>,
  name: string,
): Promise<number> {
  for (let waited = 0;; waited += PAUSE) {
    const count = await first();
    if (count > 0) return count;
    if (waited >= PATIENCE) throw nobody(name, "writes to");
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** Opens a pipe with a name for writing, when somebody reads it. */
export async function openFifo(path: string): Promise<number> {
  const { O_WRONLY, O_NONBLOCK = 0 } = fs.constants;
  for (let waited = 0;; waited += PAUSE) {
    try {
      const fd = fs.openSync(path, O_WRONLY | O_NONBLOCK);
      // Somebody reads it, so this does not wait. Deno loses count of what it
      // has written to a pipe that is non-blocking.
      const blocking = fs.openSync(path, O_WRONLY);
      fs.closeSync(fd);
      return blocking;
    } catch (error) {
      if (errorCode(error) !== "ENXIO") throw error;
      if (waited >= PATIENCE) throw nobody(path, "reads");
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function nobody(name: string, does: string): FileError {
  return new FileError(
    `${name} is a pipe that nobody ${does}: start the other program first`,
  );
}

/** What came out of pipes: it comes once, but is needed again. */
const piped = new Map<string, Uint8Array>();

/** A small text file or pipe, whole. */
export function readText(path: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(readBytes(path));
}

/** A small file or pipe, whole. */
export function readBytes(path: string): Uint8Array {
  const known = piped.get(path);
  if (known !== undefined) return known;
  const fd = openToRead(path);
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFIFO()) return fs.readFileSync(fd);
    const bytes = readFifo(fd, path);
    piped.set(path, bytes);
    return bytes;
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw fileError(`Cannot read ${path}`, error);
  } finally {
    fs.closeSync(fd);
  }
}

/** What comes out of a pipe; a program that has it open may take longer. */
function readFifo(fd: number, path: string): Uint8Array {
  const buffer = new Uint8Array(1 << 16);
  const parts: Uint8Array[] = [];
  let waited = 0;
  for (let seen = false;;) {
    let count: number | undefined;
    try {
      count = fs.readSync(fd, buffer, 0, buffer.length, null);
    } catch (error) {
      if (errorCode(error) !== "EAGAIN") throw error;
    }
    if (count === 0 && seen) return concat(parts);
    if (count) parts.push(buffer.slice(0, count));
    if (count !== 0) seen = true;
    if (count === undefined || count === 0) {
      const limit = seen ? 10 * PATIENCE : PATIENCE;
      if ((waited += PAUSE) > limit) throw nobody(path, "writes to");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    } else waited = 0;
  }
}
