import { fileChanged } from "../errors/input_changed.ts";
import { fs, isDeno } from "./node.ts";
import {
  allocate,
  CHUNK,
  type FilePlace,
  type HashBeside,
  release,
} from "../streams/source.ts";
import { fileError } from "./errors.ts";
import { readFile, takeTurn } from "./fd.ts";
import { hashFile } from "./hash_file.ts";
import type { Input } from "./input.ts";
import { piecesCode } from "./pieces_code.ts";
import { fileId } from "./file_id.ts";
import { SecondThread } from "./second_thread.ts";
import { isInputShared } from "./standard_input.ts";
import { paysThread } from "./threads.ts";

/**
 * A stretch of a file as a stream of large chunks.
 *
 * @param read Fills a buffer from an offset in the file in bytes; gives the
 * count of bytes read.
 * @param start Offset of the first byte.
 * @param end Offset after the last one.
 * @param atEnd Is called at the end with the offset that was reached; what it
 * throws is the stream's error.
 */
export function fileStream(
  read: (buffer: Uint8Array, position: number) => number,
  start: number,
  end: number,
  atEnd: (position: number) => void = () => {},
): ReadableStream<Uint8Array> {
  let position = start;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      await takeTurn();
      const want = Math.min(CHUNK, end - position);
      const buffer = allocate(want);
      const count = want === 0 ? 0 : read(buffer, position);
      position += count;
      if (count === want && count > 0) controller.enqueue(buffer);
      else {
        if (count > 0) controller.enqueue(buffer.slice(0, count));
        release(buffer);
      }
      if (count < want || position >= end) {
        atEnd(position);
        controller.close();
      }
    },
  }, { highWaterMark: 0 });
}

/** After so many short reads, each such count of them asks if the file changed. */
const FILLS = 64;

/** Milliseconds after its last change in which a file is fresh. */
const FRESH = 2000;

/**
 * Makes a source of an open plain file. Reading it fails once the file has
 * another size, modification or change time than now.
 *
 * @param name What messages call it.
 * @param path Where it is, if it has a path.
 */
export function openFile(
  fd: number,
  name: string,
  path?: string,
): Input & { size: number } {
  const before = fs.fstatSync(fd, { bigint: true });
  const size = Number(before.size);
  const changed = () => {
    const now = fs.fstatSync(fd, { bigint: true });
    return now.size !== before.size || now.mtimeNs !== before.mtimeNs ||
      // Size and mtime can be set back, ctime cannot; a path more or less of the
      // file, such as its removal, changes ctime as well.
      (now.ctimeNs !== before.ctimeNs && now.nlink === before.nlink);
  };
  const read = (buffer: Uint8Array, position: number) => {
    try {
      return readFile(fd, buffer, position);
    } catch (error) {
      throw fileError(`Cannot read ${name}`, error);
    }
  };
  const stretch = (start: number, end: number) =>
    fileStream(
      read,
      start,
      Math.min(end, size),
      (position) => check(position < Math.min(end, size)),
    );
  const check = (isShort = false) => {
    if (isShort || changed()) throw fileChanged(name);
  };
  const id = fileId(before);
  const where = path ?? (fd === 0 && isInputShared() ? fd : undefined);
  const place: FilePlace | undefined = where === undefined ? undefined : {
    path: where,
    id,
    start: 0,
    size,
    code: piecesCode(where, id),
    read,
    check,
    hash: (...stretch) => hashBeside({ fd, path: where, id }, ...stretch),
  };
  let fills = 0;
  // Deno cuts ctime to seconds: a change within the second of the last one does
  // not show.
  const isFresh = isDeno && Date.now() - Number(before.ctimeMs) < FRESH;
  return {
    size,
    isSteady: !isFresh,
    stream: () => stretch(0, size),
    slice: (start, end) => ({ stream: () => stretch(start, end) }),
    fill(buffer, start) {
      const wanted = Math.max(Math.min(buffer.length, size - start), 0);
      const count = read(buffer.subarray(0, wanted), start);
      const isDue = ++fills < FILLS || fills % FILLS === 0;
      if (isDue || count < wanted) check(count < wanted);
      return count;
    },
    place,
    close: () => fd === 0 || fs.closeSync(fd),
  };
}

/** Starts to hash a stretch of a file in another thread, if that saves time. */
function hashBeside(
  { fd, path, id }: { fd: number; path: string | number; id: string },
  start: number,
  size: number,
): HashBeside | undefined {
  if (!paysThread(size)) return undefined;
  const otherwise = (end: number) => hashFile(fd, start, end);
  const thread = new SecondThread({ path, id, start, otherwise });
  thread.advance(start + size);
  return thread;
}
