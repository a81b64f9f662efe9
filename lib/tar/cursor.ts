import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { concat } from "../streams/bytes.ts";
import { BLOCK, isZeroBlock, padded } from "./block.ts";
import type { Entry } from "./entry.ts";
import { NotTarError } from "./not_tar_error.ts";
import { readEntry } from "./read_entry.ts";
import type { Globals, PaxRecord } from "./pax.ts";

/** Keywords of what only one entry can have. */
const OF_ONE = /^(path|linkpath|size|GNU\.sparse\..*)$/;

/** Bytes of global records at most: each entry gets a copy of them. */
const MAX_GLOBALS = 1 << 12;

/** A stretch of the buffer that belongs to no entry. */
export interface Gap {
  start: number;
  end: number;
}

/** What {@linkcode TarCursor} has met besides entries. */
export interface TarShape {
  /** Blocks of zeros stand before an entry: several archives, one behind another. */
  concatenated: boolean;
  /** Whether a PAX global header was met. */
  globals: boolean;
  /** Bytes behind the archive's end that are no zeros. */
  junk: number;
  /** Something stands at the end without the two blocks of zeros before it. */
  ragged: boolean;
}

/**
 * Finds the entries of a tar in a sequence of buffers. The caller feeds a
 * buffer, takes all of its items with {@linkcode next}, and gives what is left
 * over together with the next buffer: an entry's header blocks never span two.
 */
export class TarCursor {
  readonly shape: TarShape = {
    concatenated: false,
    globals: false,
    junk: 0,
    ragged: false,
  };
  /** What PAX global headers say so far: a new map each time that it changes. */
  globals: Globals = new Map();
  /** Offset in the input of the buffer's first byte. */
  offset = 0;
  #buffer: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Bytes of the current entry's data and padding still to pass over. */
  #data = 0;
  #entry: Entry | undefined;
  /** Path of the newest entry of the buffers before. */
  #last: Uint8Array | undefined;
  /** Blocks of zeros since the last entry. */
  #zeros = 0;
  #ended = false;
  #globalRecords: PaxRecord[] = [];

  /** Offset in the input of the place the cursor has reached. */
  get position(): number {
    return this.offset + this.#at;
  }

  /**
   * Takes the next buffer, which starts with what no item has covered of the
   * one before.
   *
   * @param offset Offset in the input of its first byte.
   */
  feed(buffer: Uint8Array, offset: number): void {
    this.#buffer = buffer;
    this.offset = offset;
    this.#at = 0;
  }

  /**
   * The next entry or gap that starts in the buffer, or `undefined` when the
   * next one needs more bytes. An entry's data are passed over on the next call.
   *
   * @throws {InputError} If what stands there is no entry that readers agree on.
   */
  next(): Entry | Gap | undefined {
    const item = this.#next();
    if (!item && this.#entry) {
      // The entry is a view of a buffer that the caller may release now.
      this.#last = this.#entry.path.slice();
      this.#entry = undefined;
    }
    return item;
  }

  #next(): Entry | Gap | undefined {
    const buffer = this.#buffer;
    if (this.#data > 0) {
      const step = Math.min(this.#data, buffer.length - this.#at);
      this.#at += step;
      this.#data -= step;
      if (this.#data > 0) return undefined;
    }
    const start = this.#at;
    if (this.#ended) return this.#junk();
    if (start === buffer.length) return undefined;
    let item;
    try {
      item = readEntry(buffer, start, this.#globalRecords);
    } catch (error) {
      if (error instanceof InputError) {
        throw new InputError(
          `${error.message}, at byte ${this.offset + start} of the input` +
            `${this.#behind()}; archive the tree anew with tar`,
        );
      }
      throw error;
    }
    if (item === "more") return undefined;
    if (item === "zero") {
      do {
        this.#at += BLOCK;
        this.#zeros++;
      } while (
        this.#at + BLOCK <= buffer.length && isZeroBlock(buffer, this.#at)
      );
      return { start, end: this.#at };
    }
    if (item === "junk") {
      if (this.#zeros > 0) {
        this.#ended = true;
        this.shape.ragged = this.#zeros < 2;
        return this.#junk();
      }
      if (this.offset + start === 0) throw new NotTarError();
      throw new InputError(
        `Bad header checksum at byte ${this.offset + start} of the input` +
          `${this.#behind()}; the tar is damaged, make or fetch it again`,
      );
    }
    if (this.#zeros > 0) {
      this.#zeros = 0;
      this.shape.concatenated = true;
    }
    this.#at = item.end;
    if ("globals" in item) {
      this.shape.globals = true;
      this.#takeGlobals(item.globals);
      return { start: item.start, end: item.end };
    }
    this.#entry = item;
    this.#data = padded(item.stored);
    return item;
  }

  /**
   * Checks that the input may end here.
   *
   * @param tail The bytes that no item has covered.
   * @throws {InputError} If it ends inside an entry.
   */
  finish(tail: Uint8Array): void {
    if (this.#data > 0) {
      throw new InputError(
        `The input is cut short: ${this.#data} bytes of ${
          shown(this.#entry?.path ?? this.#last!)
        } are missing; make or fetch it again`,
      );
    }
    if (this.#ended || tail.length === 0) return;
    // Fewer bytes than a block: padding of some writers, or a cut header.
    const empty = tail.every((byte) => byte === 0);
    if (!empty && this.#zeros === 0) {
      if (this.position === 0) throw new NotTarError();
      throw new InputError(
        `The input is cut short: it ends inside a header${this.#behind()}; ` +
          "make or fetch it again",
      );
    }
    if (!empty) this.shape.junk += tail.length;
    this.shape.ragged = this.#zeros < 2;
  }

  /** Bytes of the newest entry's data and padding that come after the buffer. */
  get awaited(): number {
    return this.#data;
  }

  /** Passes over so many of these bytes, which are not fed. */
  skip(bytes: number): void {
    this.#data -= bytes;
  }

  /** Names the newest entry, for a message about what stands behind it. */
  #behind(): string {
    const path = this.#entry?.path ?? this.#last;
    return path ? `, behind ${shown(path)}` : "";
  }

  #junk(): Gap | undefined {
    const start = this.#at;
    const end = this.#buffer.length;
    if (start === end) return undefined;
    this.#at = end;
    this.shape.junk += end - start;
    return { start, end };
  }

  #takeGlobals(records: readonly PaxRecord[]): void {
    const globals = new Map(this.globals);
    let size = 0;
    for (const [key, value] of records) {
      // A comment says nothing about any entry.
      if (key === "comment") continue;
      if (OF_ONE.test(key)) {
        throw new InputError(
          `A PAX global header gives all entries one ${key}; archive the tree ` +
            "anew with tar",
        );
      }
      globals.delete(key);
      // The buffer is reused: records must outlive it.
      if (value.length > 0) globals.set(key, value.slice());
    }
    for (const [key, value] of globals) size += key.length + value.length;
    if (size > MAX_GLOBALS) {
      throw new InputError(
        `PAX global headers hold more than ${MAX_GLOBALS} bytes; archive the ` +
          "tree anew with tar",
      );
    }
    this.globals = globals;
    this.#globalRecords = [...globals];
  }
}

/** The unread rest of one buffer in front of the next one. */
export function carry(rest: Uint8Array, next: Uint8Array): Uint8Array {
  return rest.length === 0 ? next : concat([rest, next]);
}
