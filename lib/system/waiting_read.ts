import { fs } from "./node.ts";

/** Reads of standard input that may wait for its other end now. */
const waiting = new Set<{ stop?: () => void }>();

/**
 * Says that a read of a file waits from now on.
 *
 * @param read What {@linkcode endRead} gets. Its `stop`, if any, sees to it that
 * no other read comes after this one.
 */
export function beginRead(fd: number, read: { stop?: () => void }): void {
  if (fd === 0) waiting.add(read);
}

/** Says that it waits no more. */
export function endRead(read: object): void {
  waiting.delete(read);
}

/**
 * Ends reads that wait for a pipe whose writer writes nothing: Node does not
 * end before all of its threads do. A pipe that is opened once more, for
 * writing, takes a byte for each of them.
 */
export function wakeReads(): void {
  if (waiting.size === 0) return;
  try {
    for (const read of waiting) read.stop?.();
    const { O_WRONLY, O_NONBLOCK } = fs.constants;
    const fd = fs.openSync("/proc/self/fd/0", O_WRONLY | O_NONBLOCK);
    fs.writeSync(fd, new Uint8Array(waiting.size));
    // While this is open, the reader waits for more.
    fs.closeSync(fd);
  } catch {
    // It is no pipe, or this is not Linux: the end waits for the writer.
  }
}
