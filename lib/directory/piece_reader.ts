import { deno, type DenoNumbers, fs } from "../system/node.ts";
import { denoNumbers, fileStamp, type StampNumbers } from "./file_facts.ts";
import { CHECK, PIECE } from "./piece_list.ts";

/**
 * Reads a list of pieces into their chunk.
 *
 * @param list What a {@linkcode PieceList} has written.
 */
export type ReadPieces = (chunk: Uint8Array, list: Uint8Array) => void;

/** All that {@linkcode makeReader} uses. */
interface Tools {
  fs: typeof fs;
  /** Deno, where this is one. */
  deno: Pick<NonNullable<typeof deno>, "lstatSync"> | undefined;
  CHECK: typeof CHECK;
  PIECE: typeof PIECE;
  openFlags: (system: typeof fs) => number;
  denoNumbers: (numbers: DenoNumbers) => StampNumbers;
  fileStamp: (numbers: StampNumbers) => number;
  /**
   * Throws because of a file.
   *
   * @param error The system's; not there if the file is not what it was.
   */
  fail: (path: Uint8Array, error?: unknown) => never;
}

/** How a file of a tree is opened: no symlink is followed, no pipe waited for. */
export function openFlags(system: typeof fs): number {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = system.constants;
  return O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
}

/**
 * Makes a function that reads pieces here.
 *
 * @param fail Throws because of a file, as in {@linkcode READ_PIECES}.
 */
export function pieceReader(fail: Tools["fail"]): ReadPieces {
  return makeReader({
    fs,
    deno,
    CHECK,
    PIECE,
    openFlags,
    denoNumbers,
    fileStamp,
    fail,
  });
}

/**
 * What another thread runs to get such a function, with Node's `fs` as a
 * variable. What it throws says nothing: this thread reads the pieces again.
 */
export const READ_PIECES = `return (${makeReader})({
  fs,
  deno: globalThis.Deno,
  CHECK: ${literal(CHECK)},
  PIECE: ${literal(PIECE)},
  openFlags: ${openFlags},
  denoNumbers: ${denoNumbers},
  fileStamp: ${fileStamp},
  fail() {
    throw "it cannot be read";
  },
});`;

/** Numbers as JavaScript. */
function literal(numbers: Record<string, number>): string {
  const fields = Object.entries(numbers).map(([name, n]) => `${name}: ${n}`);
  return `{ ${fields.join(", ")} }`;
}

/**
 * Makes a function that reads pieces. Another thread gets the text of this one,
 * so it uses nothing but what it is given.
 */
function makeReader(
  { fs, deno, CHECK, PIECE, openFlags, denoNumbers, fileStamp, fail }: Tools,
): ReadPieces {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const flags = openFlags(fs);
  const bigint = true;
  const stampAt = (path: string) =>
    fileStamp(
      deno ? denoNumbers(deno.lstatSync(path)) : fs.lstatSync(path, { bigint }),
    );
  const stampOf = (fd: number) => fileStamp(fs.fstatSync(fd, { bigint }));
  const fill = (fd: number, room: Uint8Array, position: number) => {
    for (let at = 0; at < room.length;) {
      // For a position, Deno makes three more calls of the system.
      const from = position > 0 ? position + at : null;
      const count = fs.readSync(fd, room, at, room.length - at, from);
      if (count === 0) return false;
      at += count;
    }
    return true;
  };
  /** Whether the file is what it was. */
  const read = (
    path: string,
    room: Uint8Array,
    { position, stamp, checks }: Record<
      "position" | "stamp" | "checks",
      number
    >,
  ) => {
    if (checks & CHECK.look) return stampAt(path) === stamp;
    const fd = fs.openSync(path, flags);
    try {
      if (checks & CHECK.before && stampOf(fd) !== stamp) return false;
      if (!fill(fd, room, position)) return false;
      if (!(checks & CHECK.after)) return true;
      // Deno looks at a path in a third of the time that a look at the open file
      // takes.
      const isQuick = deno && checks & CHECK.guarded;
      return (isQuick ? stampAt(path) : stampOf(fd)) === stamp;
    } finally {
      fs.closeSync(fd);
    }
  };
  // Not each call takes memory that threads share. Copies would pile up until
  // they are collected.
  const copy = new Uint8Array(1 << 16);
  return (chunk, list) => {
    const view = new DataView(list.buffer, list.byteOffset, list.length);
    const end = view.getUint32(0);
    for (let here = PIECE.first as number; here < end;) {
      const from = here + PIECE.path;
      const to = from + view.getUint16(here + PIECE.pathLength);
      for (let i = from; i < to; i++) copy[i - from] = list[i]!;
      const path = copy.subarray(0, to - from);
      const at = view.getUint32(here + PIECE.at);
      const room = chunk.subarray(at, at + view.getUint32(here + PIECE.length));
      const piece = {
        position: view.getFloat64(here + PIECE.position),
        stamp: view.getUint32(here + PIECE.stamp),
        checks: view.getUint16(here + PIECE.checks),
      };
      let isSame;
      try {
        // Node's types do not know that bytes will do.
        const name = deno ? decoder.decode(path) : path as unknown as string;
        isSame = read(name, room, piece);
      } catch (error) {
        fail(path, error);
      }
      if (!isSame) fail(path);
      here = to;
    }
  };
}
