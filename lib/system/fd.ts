import { InputError } from "../errors/input_error.ts";
import { deno, fs, isDeno } from "./node.ts";
import { errorCode } from "./errors.ts";
import { beginRead, endRead } from "./waiting_read.ts";
import { whileWriting } from "./waiting_write.ts";

/** Milliseconds that work on plain files may take before signals get a turn. */
const TURN = 100;

let lastTurn = performance.now();

/**
 * Fills a buffer from a plain file as far as that goes.
 *
 * The call does not return before: handing a chunk to another thread and back
 * takes longer than to copy it. A loop of reads calls {@linkcode takeTurn}.
 *
 * @param position Offset in the file in bytes; after the last read unless given.
 * @returns The count of bytes read.
 */
export function readFile(
  fd: number,
  buffer: Uint8Array,
  position?: number,
): number {
  let length = 0;
  while (length < buffer.length) {
    const room = buffer.length - length;
    const at = position === undefined ? null : position + length;
    const count = fs.readSync(fd, buffer, length, room, at);
    if (count === 0) break;
    length += count;
  }
  return length;
}

/**
 * Writes all bytes to a plain file, as {@linkcode readFile} reads.
 *
 * @param position Offset in the file in bytes; after the last write unless
 * given. Deno moves that place with each write: give the position of each write
 * to a file, or of none.
 */
export function writeFile(
  fd: number,
  bytes: Uint8Array,
  position?: number,
): void {
  for (let done = 0; done < bytes.length;) {
    const at = position === undefined ? null : position + done;
    done += fs.writeSync(fd, bytes, done, bytes.length - done, at);
  }
}

/**
 * Lets signals and timers have their turn, if they have had none for a while:
 * they wait for a program that waits for nothing.
 */
export function takeTurn(): Promise<void> | undefined {
  if (performance.now() - lastTurn < TURN) return undefined;
  return new Promise((resolve) =>
    // Deno looks at signals only when it has to wait: setImmediate() is too soon.
    setTimeout(() => {
      lastTurn = performance.now();
      resolve();
    }, 1)
  );
}

/**
 * Fills a buffer from a pipe or a device, which can take any time.
 *
 * @returns The count of bytes read, less than the buffer has at the end only.
 */
export async function readPipe(
  fd: number,
  buffer: Uint8Array,
): Promise<number> {
  let length = 0;
  const read = {};
  beginRead(fd, read);
  try {
    while (length < buffer.length) {
      const room = buffer.length - length;
      const count = await patiently((done) =>
        fs.read(fd, buffer, length, room, null, done)
      );
      if (count === 0) break;
      length += count;
    }
  } finally {
    endRead(read);
  }
  return length;
}

/** Bytes that a pipe takes as a whole or not at all (POSIX.1, PIPE_BUF). */
const PIPE_BUF = 512;

/**
 * Writes all bytes to a pipe or a device, which can take any time.
 *
 * @throws {InputError} If the pipe is non-blocking and full, under Deno: it does
 * not say how many bytes it has written before it found that out.
 */
export async function writePipe(fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const length = bytes.length - at;
    const isLost = isDeno && length > PIPE_BUF;
    at += await whileWriting(() =>
      patiently((done) => startWrite(fd, bytes.subarray(at), done), { isLost })
    );
  }
}

/** Writes bytes in another thread: this one gets signals meanwhile. */
function startWrite(
  fd: number,
  bytes: Uint8Array,
  done: (error: Error | null, count: number) => void,
): void {
  if (!deno || fd !== 1) {
    fs.write(fd, bytes, 0, bytes.length, null, done);
    return;
  }
  // Of standard output Deno's fs.write() returns only when all is written.
  deno.stdout.write(bytes).then(
    (count) => done(null, count),
    (error) => done(error, 0),
  );
}

/**
 * Calls until it works: a pipe can be non-blocking, and have nothing now.
 *
 * @param isLost Whether it cannot go on then.
 */
async function patiently(
  call: (done: (error: Error | null, count: number) => void) => void,
  { isLost = false } = {},
): Promise<number> {
  for (;;) {
    try {
      return await new Promise((resolve, reject) =>
        call((error, count) => error ? reject(error) : resolve(count))
      );
    } catch (error) {
      if (errorCode(error) !== "EAGAIN") throw error;
      if (isLost) throw lostBytes();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

/** Deno does not say how much it has written of what found no room. */
export function lostBytes(): InputError {
  return new InputError(
    "it is a non-blocking pipe, of which Deno loses bytes; pipe through " +
      "cat, or run ciso under Bun or Node",
  );
}
