import { counted } from "../errors/counted.ts";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { concat } from "../streams/bytes.ts";
import { release } from "../streams/source.ts";
import { BLOCK, dialectOf, isZeroBlock, padded } from "./block.ts";
import { CutShortError } from "./cut_short_error.ts";
import { fileKind } from "./file_kind.ts";
import { withRecords } from "./global_records.ts";
import type { TarData, TarGap, TarItem } from "./items.ts";
import { NotTarError } from "./not_tar_error.ts";
import { readEntry } from "./read_entry.ts";
import type { Globals, PaxRecord } from "./pax.ts";

const EMPTY = new Uint8Array(0);

/** What {@linkcode TarReader} has met besides entries. */
export interface TarShape {
  /** Blocks of zeros come before an entry: several archives in one file. */
  concatenated: boolean;
  /** Whether a PAX global header was met. */
  globals: boolean;
  /** Bytes after the archive's end that are not zeros. */
  junk: number;
  /** Less than two blocks of zeros come before the end, or before junk. */
  ragged: boolean;
}

/**
 * The one loop over a tar: it cuts the bytes into buffers and the buffers into
 * headers, data and gaps, which together cover every byte once and in order.
 *
 * For each of {@linkcode TarReader.buffers}, take all items with
 * {@linkcode TarReader.next}. An entry's header blocks never span two buffers.
 * Positions of items are in the buffer; add {@linkcode TarReader.offset} for
 * those in the input.
 *
 * @example
 * ```ts
 * import { TarReader } from "./reader.ts";
 * import { wholeBlocks } from "./whole_blocks.ts";
 *
 * async function* namesIn(chunks: AsyncIterable<Uint8Array>) {
 *   const tar = new TarReader(wholeBlocks(chunks));
 *   for await (const _ of tar.buffers()) {
 *     for (let item; (item = tar.next());) {
 *       if (item.part === "header") yield item.entry.path;
 *     }
 *   }
 * }
 * ```
 */
export class TarReader {
  readonly shape: TarShape = {
    concatenated: false,
    globals: false,
    junk: 0,
    ragged: false,
  };
  /** What PAX global headers say so far: a new map each time that it changes. */
  globals: Globals = new Map();
  /** The buffer whose items are being taken. */
  bytes: Uint8Array = EMPTY;
  /** Offset in the input of the buffer's first byte. */
  offset = 0;
  readonly #buffers: AsyncIterable<Uint8Array>;
  readonly #isOwner: boolean;
  #at = 0;
  #isTaken = false;
  /** What no item covers of this buffer; the next one starts with it. */
  #rest: Uint8Array = EMPTY;
  /** Bytes of the current entry's data and padding that are still to come. */
  #left = 0;
  /** How many of them are data; -1 when no entry's data are being read. */
  #data = -1;
  /** Path of the newest entry: a copy, since the caller may change the buffer. */
  #name = new Uint8Array(1 << 12);
  #nameLength = 0;
  /** What the newest entry claims to have, for a message about what comes next. */
  #claim = "";
  /** Blocks of zeros since the last entry. */
  #zeros = 0;
  #ended = false;
  #globalRecords: PaxRecord[] = [];

  /**
   * Prepares to read; nothing is read yet.
   *
   * @param buffers The tar, in buffers of whole blocks, of which the last one may
   * be ragged: see {@linkcode wholeBlocks}.
   * @param isOwner Whether the buffers are released once they have been read.
   */
  constructor(buffers: AsyncIterable<Uint8Array>, isOwner = true) {
    this.#buffers = buffers;
    this.#isOwner = isOwner;
  }

  /**
   * The buffers, each one with the unread rest of the one before. It is released
   * when the next one is asked for, unless {@linkcode TarReader.take} was called.
   *
   * @throws {InputError} If the tar ends inside an entry.
   */
  async *buffers(): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#buffers) {
      const rest = this.#rest;
      this.bytes = rest.length === 0 ? chunk : concat([rest, chunk]);
      if (rest.length > 0 && this.#isOwner) release(chunk);
      this.#at = 0;
      this.#isTaken = false;
      yield this.bytes;
      this.offset += this.#at;
      if (!this.#isTaken && this.#isOwner) release(this.bytes);
    }
    if (this.#data === 0 && this.#left > 0) yield this.#padding();
    this.#finish(this.#rest);
  }

  /** The padding of the last entry, where a writer has left it out. */
  #padding(): Uint8Array {
    this.shape.ragged = true;
    this.bytes = new Uint8Array(this.#left);
    this.#at = 0;
    return this.bytes;
  }

  /** The current buffer, which becomes the caller's. */
  take(): Uint8Array {
    this.#isTaken = true;
    return this.bytes;
  }

  /** Bytes of the current entry's data and padding that are still to come. */
  get left(): number {
    return this.#left;
  }

  /**
   * Passes over these bytes, which do not come: the next buffer starts after
   * them. Call it when the last one has no more items.
   */
  skip(): void {
    this.offset += this.#left;
    this.#left = 0;
    this.#data = 0;
  }

  /** Makes one gap of all that follows: the caller needs none of it. */
  ignoreRest(): void {
    this.#data = -1;
    this.#ended = true;
  }

  /** Size in bytes of what has been read and cut into items so far. */
  get size(): number {
    return this.offset + this.#rest.length;
  }

  /**
   * The next item of the buffer, or `undefined` when it needs more bytes.
   *
   * @throws {InputError} If there is something that is not an entry that all
   * readers agree on.
   */
  next(): TarItem | undefined {
    const item = this.#next();
    if (item) return item;
    // The caller may pass the buffer on now: hold no view of it.
    this.#rest = this.#at < this.bytes.length
      ? this.bytes.slice(this.#at)
      : EMPTY;
    return undefined;
  }

  #next(): TarItem | undefined {
    if (this.#data >= 0) return this.#nextData();
    if (this.#ended) return this.#junk();
    const start = this.#at;
    if (start === this.bytes.length) return undefined;
    const item = this.#readEntry(start);
    if (item === "more") return undefined;
    if (item === "zero") return this.#zeroBlocks();
    if (item === "junk") {
      if (this.#zeros > 0) {
        // Images of file systems have zeros before their first sign.
        const isFirst = this.offset === 0 && this.#nameLength === 0;
        if (isFirst && fileKind(this.bytes)) throw new NotTarError(this.bytes);
        this.#ended = true;
        this.shape.ragged = this.#zeros < 2;
        return this.#junk();
      }
      // A damaged tar still says that it is one.
      const isTar = dialectOf(this.bytes, start) !== "v7";
      if (this.offset + start === 0 && !isTar) {
        throw new NotTarError(this.bytes);
      }
      throw new InputError(
        `Bad header checksum at byte ${this.offset + start} of the input` +
          `${this.#after()}${this.#claim}; the tar is damaged, make or fetch it ` +
          "again",
      );
    }
    if (this.#zeros > 0) {
      this.#zeros = 0;
      this.shape.concatenated = true;
    }
    this.#at = item.end;
    if ("globals" in item) {
      this.shape.globals = true;
      this.globals = withRecords(this.globals, item.globals);
      this.#globalRecords = [...this.globals];
      return { part: "gap", start: item.start, end: item.end };
    }
    this.#keepName(item.path);
    this.#claim = item.claimed === undefined
      ? ""
      : `, a ${item.kind} that says it has ${
        counted(item.claimed, "byte")
      } of data`;
    this.#data = item.stored;
    this.#left = padded(item.stored);
    return { part: "header", entry: item, start: item.start, end: item.end };
  }

  #keepName(path: Uint8Array): void {
    if (path.length > this.#name.length) this.#name = path.slice();
    else this.#name.set(path);
    this.#nameLength = path.length;
  }

  #readEntry(start: number): ReturnType<typeof readEntry> {
    try {
      return readEntry(this.bytes, start, this.#globalRecords);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const { entry, remedy = "archive the tree anew with tar" } = error;
      throw new InputError(
        `${error.message}, at byte ${this.offset + start} of the input` +
          `${this.#after()}; ${remedy}`,
        { ...(entry !== undefined && { entry }), remedy },
      );
    }
  }

  #nextData(): TarData | undefined {
    const start = this.#at;
    const step = Math.min(this.#left, this.bytes.length - start);
    const done = step === this.#left;
    if (step === 0 && !done) return undefined;
    const data = Math.min(this.#data, step);
    this.#at += step;
    this.#left -= step;
    this.#data = done ? -1 : this.#data - data;
    return {
      part: "data",
      start,
      end: this.#at,
      dataEnd: start + data,
      done,
    };
  }

  #zeroBlocks(): TarGap {
    const start = this.#at;
    do {
      this.#at += BLOCK;
      this.#zeros++;
    } while (
      this.#at + BLOCK <= this.bytes.length &&
      isZeroBlock(this.bytes, this.#at)
    );
    return { part: "gap", start, end: this.#at };
  }

  #junk(): TarGap | undefined {
    const start = this.#at;
    const end = this.bytes.length;
    if (start === end) return undefined;
    this.#at = end;
    this.shape.junk += end - start;
    return { part: "gap", start, end };
  }

  /**
   * Checks that the input may end here.
   *
   * @param tail The bytes that no item has covered.
   */
  #finish(tail: Uint8Array): void {
    if (this.#data >= 0) {
      throw new CutShortError(
        `it ends ${
          counted(this.#data, "byte")
        } before the data of ${this.#shownName()} do`,
      );
    }
    if (this.#ended || tail.length === 0) return;
    // Fewer bytes than a block: padding of some writers, or a cut header.
    const empty = tail.every((byte) => byte === 0);
    if (!empty && this.#zeros === 0) {
      if (this.offset === 0) throw new NotTarError(tail);
      throw new CutShortError(
        `it ends inside a header, at byte ${this.offset}${this.#after()}`,
      );
    }
    if (!empty) this.shape.junk += tail.length;
    this.shape.ragged = this.#zeros < 2;
  }

  /** Names the newest entry, for a message about what comes after it. */
  #after(): string {
    return this.#nameLength > 0 ? `, after ${this.#shownName()}` : "";
  }

  #shownName(): string {
    return shown(this.#name.subarray(0, this.#nameLength));
  }
}
