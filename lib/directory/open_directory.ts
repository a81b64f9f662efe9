import { Filling } from "./filling.ts";
import type { FileList, FileRecord } from "./file_list.ts";
import { takeTurn } from "../system/fd.ts";
import { utf8 } from "../streams/bytes.ts";
import { files, type OpenFile } from "./files.ts";
import { Place } from "./listing.ts";
import type { Input } from "../system/input.ts";
import { type Source, toStream } from "../streams/source.ts";
import { BLOCK, padded } from "../tar/block.ts";
import { fileHeader, fileHeaderSize, putFileHeader } from "./file_header.ts";
import { closing } from "../tar/header.ts";
import { changedError, readError, walk, type WalkOptions } from "./walk.ts";

/** A directory as an input: its bytes are those of a tar of it. */
export interface DirectoryInput extends Input {
  /** Size of the tar in bytes. */
  readonly size: number;
  /** What the user should know of, in sentences. */
  readonly notes: readonly string[];
}

/** What is lost of any directory, in a sentence. */
export const DIRECTORY_LOSSES =
  "extended attributes of the files, such as capabilities and access control " +
  "lists, cannot be read from a directory; a tar made with --xattrs has them";

/** The file is checked again after so many bytes. */
const SMALL = 1 << 16;

const EMPTY = new Uint8Array(0);
const ZEROS = new Uint8Array(BLOCK);

/**
 * Opens a directory as a source: a tar of all its files, made anew each time it
 * is read, from a list of them that is made once. The same tree gives the same
 * bytes whatever the file system, the user, the time zone or the runtime; no
 * copy of the tar is made.
 *
 * It has what a tar can say but extended attributes, which no runtime can read:
 * plain files, directories, symlinks, hard links, devices and FIFOs, with modes,
 * owners by number, and times to the nanosecond. Sockets are left out.
 *
 * @param root Path of the directory.
 * @throws {Error} If the directory or something in it cannot be read. Reading
 * the source fails when a file has changed or vanished since; the message names
 * it.
 *
 * @example
 * ```ts
 * import { openDirectory } from "@isoc/isoc/node";
 * import assert from "node:assert/strict";
 *
 * const tree = await openDirectory("tests/tar", { owner: { uid: 0, gid: 0 } });
 * const tar = await new Response(tree.stream()).bytes();
 * assert.equal(tar.length, tree.size);
 * ```
 */
export async function openDirectory(
  root: string,
  options: WalkOptions = {},
): Promise<DirectoryInput> {
  const { list, notes } = await walk(root, options);
  const archive = new DirectoryArchive(root, list);
  return {
    size: archive.size,
    notes,
    stream: () => archive.stream(),
    slice: (start, end) => archive.slice(start, end),
    // Each time it is read, it is made anew.
    once: () => archive.once(),
    close() {},
  };
}

/** Gives a full chunk, after others had their turn. */
async function taken(out: Filling): Promise<Uint8Array> {
  await takeTurn();
  return out.take();
}

/** Writes a file's header if it is one block, for which there is room. */
function putBlock({ record }: ListedFile, out: Filling): boolean {
  if (!putFileHeader(record, out.chunk, out.filled)) return false;
  out.room(BLOCK);
  return true;
}

/** The tar of a list of files. */
class DirectoryArchive implements Source {
  readonly size: number;
  readonly #root: string;
  /** What comes before all paths for the runtime. */
  readonly #prefix: Uint8Array;
  readonly #rootPath: Uint8Array;
  readonly #list: FileList;

  constructor(root: string, list: FileList) {
    this.#root = root;
    this.#prefix = utf8(`${root}/`);
    this.#rootPath = new Place(this.#prefix, EMPTY, EMPTY).full;
    this.#list = list;
    let offset = 0;
    for (let slot = 0; slot < list.length; slot++) {
      list.setOffset(slot, offset);
      offset += fileHeaderSize(list, slot) + padded(list.size(slot));
    }
    this.size = offset + closing().length;
  }

  /** All bytes, as {@linkcode DirectoryArchive.stream} gives them, but quicker. */
  once(): AsyncGenerator<Uint8Array> {
    return this.#chunks(0, this.size, true);
  }

  stream(): ReadableStream<Uint8Array> {
    return toStream(this.once());
  }

  slice(start: number, end: number): Pick<Source, "stream"> {
    const to = Math.min(end, this.size);
    return {
      stream: () => toStream(this.#chunks(Math.min(start, to), to, false)),
    };
  }

  /**
   * A stretch of the tar, in large chunks.
   *
   * @param all Whether files whose contents are not needed are looked at too.
   */
  async *#chunks(
    start: number,
    end: number,
    all: boolean,
  ): AsyncGenerator<Uint8Array> {
    const list = this.#list;
    const out = new Filling(start, end);
    for (let slot = list.slotAt(start); slot < list.length; slot++) {
      if (out.position >= end) return;
      const file = this.#file(slot);
      if (
        out.position === file.start && out.left >= BLOCK && putBlock(file, out)
      ) {
        if (out.isFull) yield await taken(out);
      } else yield* out.put(fileHeader(file.record), file.start);
      if (out.position >= end) return;
      const { size, data } = file;
      if (out.position >= data + size) {
        if (all) this.#check(file, () => files.stamp(file.full));
      } else if (size <= SMALL && out.position === data && out.left >= size) {
        this.#readWhole(file, out);
        if (out.isFull) yield await taken(out);
      } else yield* this.#readPieces(file, out);
      const rest = padded(size) - size;
      if (rest > 0) yield* out.put(ZEROS.subarray(0, rest), data + size);
    }
    yield* out.put(closing(), this.size - closing().length);
  }

  #file(slot: number): ListedFile {
    const record = this.#list.record(slot, this.#prefix);
    const { path } = record;
    const size = this.#list.size(slot);
    const start = this.#list.offset(slot);
    const next = slot + 1 < this.#list.length
      ? this.#list.offset(slot + 1)
      : this.size - closing().length;
    return {
      record,
      path,
      // The root itself may be a symlink.
      full: path.length > 0
        ? new Uint8Array(path.buffer, 0, this.#prefix.length + path.length)
        : this.#rootPath,
      stamp: this.#list.stamp(slot),
      isGuarded: this.#list.isGuarded(slot),
      size,
      start,
      data: next - padded(size),
    };
  }

  /** Reads a small file for which there is room. */
  #readWhole(file: ListedFile, out: Filling): void {
    const open = this.#open(file);
    try {
      this.#fill(out.room(file.size), open, file);
      // Nothing else can be at the path by now: Deno looks there in a third of
      // the time that a look at the open file takes.
      const stamp = file.isGuarded
        ? () => files.stamp(file.full)
        : () => open.stamp();
      this.#check(file, stamp);
    } finally {
      open.close();
    }
  }

  /** Reads what is wanted of a file, chunk by chunk. */
  async *#readPieces(
    file: ListedFile,
    out: Filling,
  ): AsyncGenerator<Uint8Array> {
    const { size, data } = file;
    const open = this.#open(file);
    try {
      // A file that took its place may be one that must not be read. What one
      // call reads is checked after the call.
      if (size > SMALL) this.#check(file, () => open.stamp());
      while (out.position < data + size && !out.isDone) {
        const { position } = out;
        const room = out.room(data + size - position);
        this.#fill(room, open, file, position - data);
        if (out.position === data + size) {
          this.#check(file, () => open.stamp());
        }
        if (out.isFull) yield await taken(out);
      }
    } finally {
      open.close();
    }
  }

  #open({ path, full }: ListedFile): OpenFile {
    try {
      return files.open(full);
    } catch (error) {
      throw readError(path, this.#root, error);
    }
  }

  /** Fails if a file is not as it was when the list was made. */
  #check({ path, stamp }: ListedFile, current: () => number): void {
    let now;
    try {
      now = current();
    } catch (error) {
      throw readError(path, this.#root, error);
    }
    if (now !== stamp) throw changedError(path, this.#root);
  }

  #fill(
    room: Uint8Array,
    open: OpenFile,
    { path }: ListedFile,
    position?: number,
  ): void {
    let count;
    try {
      count = open.read(room, position);
    } catch (error) {
      throw readError(path, this.#root, error);
    }
    if (count < room.length) throw changedError(path, this.#root);
  }
}

/** A file of the list, and where it is in the tar; its paths are soon others. */
interface ListedFile {
  record: FileRecord;
  path: Uint8Array;
  /** The path for the runtime. */
  full: Uint8Array;
  stamp: number;
  isGuarded: boolean;
  size: number;
  /** Offset of the header. */
  start: number;
  /** Offset of the contents. */
  data: number;
}
