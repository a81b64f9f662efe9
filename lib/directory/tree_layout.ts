import { utf8 } from "../streams/bytes.ts";
import { BLOCK, padded } from "../tar/block.ts";
import { closing } from "../tar/header.ts";
import { fileHeader, fileHeaderSize, putFileHeader } from "./file_header.ts";
import type { FileList, FileRecord } from "./file_list.ts";
import { CHECK, PIECE, PieceList } from "./piece_list.ts";

/** A file of up to so many bytes is checked only after it has been read. */
const SMALL = 1 << 16;

/** Bytes of a path at most (path_resolution(7), PATH_MAX). */
const MAX_PATH = 4096;

/** A stretch of the tar in the making. */
interface Stretch {
  chunk: Uint8Array;
  /** Offsets in the tar of its first byte and of the first one after it. */
  start: number;
  end: number;
  pieces: PieceList;
}

/** The tar of a list of files: where its headers, contents and zeros are. */
export class TreeLayout {
  /** Size of the tar in bytes. */
  readonly size: number;
  readonly #list: FileList;
  /** What comes before all paths for the runtime. */
  readonly #prefix: Uint8Array;
  readonly #rootPath: Uint8Array;
  /** Offset of the zeros at the end. */
  readonly #closing: number;
  /** Where the newest stretch ends, and the file that is there. */
  #next = { offset: 0, slot: 0 };

  /**
   * Sets the offsets of all files.
   *
   * @param root Path of the directory that holds them.
   */
  constructor(root: string, list: FileList) {
    this.#prefix = utf8(`${root}/`);
    // The root itself may be a symlink.
    this.#rootPath = utf8(`${root}/.`);
    this.#list = list;
    let offset = 0;
    for (let slot = 0; slot < list.length; slot++) {
      list.setOffset(slot, offset);
      offset += fileHeaderSize(list, slot) + padded(list.size(slot));
    }
    this.#closing = offset;
    this.size = offset + closing().length;
  }

  /** Bytes that the pieces of a stretch of so many bytes take at most. */
  listSize(length: number): number {
    // A file has a header, with its path, in the stretch, or it is the first one.
    const files = Math.ceil(length / BLOCK) + 1;
    return PIECE.first + files * (PIECE.path + this.#rootPath.length) + length +
      MAX_PATH;
  }

  /** Path below the root of a file, of its path for the runtime. */
  below(path: Uint8Array): Uint8Array {
    const { length } = this.#rootPath;
    const isRoot = path.length === length && path[length - 1] === 0x2e;
    return path.subarray(isRoot ? length : this.#prefix.length);
  }

  /**
   * Puts headers and zeros of a stretch into memory, and lists the pieces that
   * files have of it.
   *
   * @param chunk Memory for the stretch, with anything in it.
   * @param list Memory for the pieces.
   * @param all Whether files of which nothing is read are looked at too.
   */
  put(chunk: Uint8Array, start: number, list: Uint8Array, all: boolean): void {
    const end = start + chunk.length;
    const stretch = { chunk, start, end, pieces: new PieceList(list) };
    let slot = start === this.#next.offset
      ? this.#next.slot
      : this.#list.slotAt(start);
    for (; slot < this.#list.length; slot++) {
      if (this.#list.offset(slot) >= end) break;
      this.#putFile(slot, stretch, all);
      if (this.#endOf(slot) > end) break;
    }
    this.#next = { offset: end, slot };
    if (this.#closing < end) chunk.fill(0, Math.max(this.#closing - start, 0));
  }

  /** Where the next file starts. */
  #endOf(slot: number): number {
    const next = slot + 1;
    return next < this.#list.length ? this.#list.offset(next) : this.#closing;
  }

  #putFile(slot: number, stretch: Stretch, all: boolean): void {
    const { chunk, start, end, pieces } = stretch;
    const size = this.#list.size(slot);
    const next = this.#endOf(slot);
    const data = next - padded(size);
    const record = this.#list.record(slot, this.#prefix);
    if (data > start) {
      putHeader(record, this.#list.offset(slot), data, stretch);
      if (size === 0 && data <= end && all) {
        pieces.add(this.#piece(slot, record, CHECK.look));
      }
    }
    const from = Math.max(data, start);
    const to = Math.min(data + size, end);
    if (to > from) {
      const isEnd = to === data + size;
      pieces.add({
        // A file that took its place may be one that must not be read. What one
        // call reads is checked after the call.
        ...this.#piece(
          slot,
          record,
          (size > SMALL ? CHECK.before : CHECK.after) |
            (isEnd ? CHECK.after : 0) |
            (this.#list.isGuarded(slot) ? CHECK.guarded : 0),
        ),
        at: from - start,
        length: to - from,
        position: from - data,
      });
    }
    const padding = Math.max(data + size, start);
    if (padding < Math.min(next, end)) {
      chunk.fill(0, padding - start, next - start);
    }
  }

  /** A piece without any bytes. */
  #piece(slot: number, { path }: FileRecord, checks: number) {
    return {
      at: 0,
      length: 0,
      position: 0,
      stamp: this.#list.stamp(slot),
      checks,
      path: path.length > 0
        ? new Uint8Array(path.buffer, 0, this.#prefix.length + path.length)
        : this.#rootPath,
    };
  }
}

/**
 * Puts what a stretch has of a file's header there.
 *
 * @param offset Where the header is in the tar.
 * @param data Where it ends.
 */
function putHeader(
  record: FileRecord,
  offset: number,
  data: number,
  { chunk, start, end }: Stretch,
): void {
  const isWhole = offset >= start && data <= end;
  if (isWhole && putFileHeader(record, chunk, offset - start)) return;
  const bytes = fileHeader(record);
  const from = Math.max(start - offset, 0);
  const to = Math.min(bytes.length, end - offset);
  chunk.set(bytes.subarray(from, to), offset + from - start);
}
