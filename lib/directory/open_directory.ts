import { takeTurn } from "../system/fd.ts";
import type { Input } from "../system/input.ts";
import type { Patchwork } from "../streams/patchwork.ts";
import { allocate, CHUNK, type Source, toStream } from "../streams/source.ts";
import type { FileList } from "./file_list.ts";
import { pieceReader, READ_PIECES } from "./piece_reader.ts";
import { changedError, readError } from "./read_errors.ts";
import { TreeLayout } from "./tree_layout.ts";
import { walk, type WalkOptions } from "./walk.ts";

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
    patchwork: archive,
    close() {},
  };
}

/** The tar of a list of files. */
class DirectoryArchive implements Source, Patchwork {
  readonly size: number;
  readonly listSize: number;
  readonly code = READ_PIECES;
  readonly read: Patchwork["read"];
  readonly #layout: TreeLayout;

  constructor(root: string, list: FileList) {
    const layout = this.#layout = new TreeLayout(root, list);
    this.size = layout.size;
    this.listSize = layout.listSize(CHUNK);
    this.read = pieceReader((path, error) => {
      const below = layout.below(path);
      throw error === undefined
        ? changedError(below, root)
        : readError(below, root, error);
    });
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

  layOut(chunk: Uint8Array, start: number, list: Uint8Array): void {
    this.#layout.put(chunk, start, list, true);
  }

  /**
   * A stretch of the tar, in large chunks.
   *
   * @param all Whether files of which nothing is read are looked at too.
   */
  async *#chunks(
    start: number,
    end: number,
    all: boolean,
  ): AsyncGenerator<Uint8Array> {
    const list = new Uint8Array(this.listSize);
    for (let at = start; at < end; at += CHUNK) {
      const chunk = allocate(Math.min(CHUNK, end - at));
      this.#layout.put(chunk, at, list, all);
      this.read(chunk, list);
      await takeTurn();
      yield chunk;
    }
  }
}
