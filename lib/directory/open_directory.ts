import type { FileList } from "./file_list.ts";
import { takeTurn } from "../system/fd.ts";
import { files, type OpenFile } from "./files.ts";
import type { Input } from "../system/input.ts";
import { allocate, CHUNK, type Source, toStream } from "../streams/source.ts";
import { padded } from "../tar/block.ts";
import { fileHeader, fileHeaderSize } from "./file_header.ts";
import { closing } from "../tar/header.ts";
import {
  changedError,
  pathsIn,
  readError,
  walk,
  type WalkOptions,
} from "./walk.ts";

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
    close() {},
  };
}

/** The tar of a list of files. */
class DirectoryArchive implements Source {
  readonly size: number;
  readonly #root: string;
  readonly #pathIn: (path: Uint8Array) => Uint8Array;
  readonly #list: FileList;

  constructor(root: string, list: FileList) {
    this.#root = root;
    this.#pathIn = pathsIn(root);
    this.#list = list;
    let offset = 0;
    for (let slot = 0; slot < list.length; slot++) {
      list.setOffset(slot, offset);
      offset += fileHeaderSize(list, slot) + padded(list.size(slot));
    }
    this.size = offset + closing().length;
  }

  stream(): ReadableStream<Uint8Array> {
    return toStream(this.#chunks(0, this.size, true));
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
    let position = start;
    let chunk = allocate(Math.min(CHUNK, end - position));
    let filled = 0;

    const take = () => {
      const full = chunk;
      chunk = allocate(Math.min(CHUNK, end - position));
      filled = 0;
      return full;
    };

    for (let slot = list.slotAt(start); position < end; slot++) {
      await takeTurn();
      const atEnd = slot === list.length;
      const record = atEnd ? undefined : list.record(slot);
      const header = record ? fileHeader(record) : closing();
      const from = record ? list.offset(slot) : this.size - header.length;
      const data = from + header.length;
      while (position < data && position < end) {
        const rest = header.subarray(position - from);
        const piece = rest.subarray(0, chunk.length - filled);
        chunk.set(piece, filled);
        filled += piece.length;
        position += piece.length;
        if (filled === chunk.length) yield take();
      }
      if (!record || position >= end) continue;
      const size = list.size(slot);
      if (position < data + size) {
        const file = this.#open(record.path);
        try {
          // A file that took its place may be one that must not be read. What
          // one call reads is checked after the call.
          if (size > SMALL) this.#check(slot, record.path, () => file.stamp());
          while (position < data + size && position < end) {
            const room = chunk.subarray(
              filled,
              filled + Math.min(chunk.length - filled, data + size - position),
            );
            await takeTurn();
            this.#fill(room, file, record.path, position - data);
            filled += room.length;
            position += room.length;
            if (position === data + size) {
              this.#check(slot, record.path, () => file.stamp());
            }
            if (filled === chunk.length) yield take();
          }
        } finally {
          file.close();
        }
      } else if (all) {
        this.#check(slot, record.path, (path) => files.stamp(path));
      }
      const next = data + padded(size);
      while (position < next && position < end) {
        const count = Math.min(chunk.length - filled, next - position);
        chunk.fill(0, filled, filled + count);
        filled += count;
        position += count;
        if (filled === chunk.length) yield take();
      }
    }
  }

  #open(path: Uint8Array): OpenFile {
    try {
      return files.open(this.#pathIn(path));
    } catch (error) {
      throw readError(path, this.#root, error);
    }
  }

  /** Fails if a file is not as it was when the list was made. */
  #check(
    slot: number,
    path: Uint8Array,
    stamp: (path: Uint8Array) => number,
  ): void {
    let now;
    try {
      now = stamp(this.#pathIn(path));
    } catch (error) {
      throw readError(path, this.#root, error);
    }
    if (now !== this.#list.stamp(slot)) {
      throw changedError(path, this.#root);
    }
  }

  #fill(
    room: Uint8Array,
    file: OpenFile,
    path: Uint8Array,
    position: number,
  ): void {
    let count;
    try {
      count = file.read(room, position);
    } catch (error) {
      throw readError(path, this.#root, error);
    }
    if (count < room.length) throw changedError(path, this.#root);
  }
}
