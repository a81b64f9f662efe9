import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { asciiText } from "../streams/bytes.ts";
import { BLOCK, numberField } from "./block.ts";
import type { PaxRecord } from "./pax.ts";

/** A run of a sparse file that holds data: offset and length in bytes. */
export type Segment = readonly [offset: number, length: number];

/** Where a sparse file's data are, and how large the file is in bytes. */
export interface SparseMap {
  segments: Segment[];
  realSize: number;
}

/** Largest run of zeros given out at once, in bytes. */
const CHUNK = 1 << 20;

/** More segments than this are refused, so that memory stays bounded. */
export const MAX_SEGMENTS = 1 << 18;

/**
 * Reads the sparse map of an old GNU entry (type `S`): four segments in its
 * header, the others in blocks of 21 after it
 * (GNU tar manual, "Old GNU Format").
 *
 * @param bytes Starts with the header block.
 * @returns The map and the count of extension blocks, or `undefined` if
 * `bytes` ends before the last one.
 */
export function readOldGnuMap(
  bytes: Uint8Array,
): { map: SparseMap; blocks: number } | undefined {
  const segments: Segment[] = [];
  const realSize = numberField(bytes, [483, 12]);
  if (realSize === undefined) {
    const text = shown(bytes.subarray(483, 495));
    throw new InputError(`Bad number ${text} for the size of a sparse file`);
  }
  const take = (at: number, count: number) => {
    for (let i = 0; i < count; i++, at += 24) {
      // An unused slot starts with a NUL.
      if (bytes[at] === 0) return;
      const offset = numberField(bytes, [at, 12]);
      const length = numberField(bytes, [at + 12, 12]);
      if (offset === undefined || length === undefined) {
        throw badNumber(bytes.subarray(at, at + 24));
      }
      addSegment(segments, offset, length);
    }
  };
  take(386, 4);
  let extended = bytes[482] !== 0;
  let blocks = 0;
  while (extended) {
    blocks++;
    const at = blocks * BLOCK;
    if (at + BLOCK > bytes.length) return undefined;
    take(at, 21);
    extended = bytes[at + 504] !== 0;
  }
  return { map: checkMap({ segments, realSize }), blocks };
}

/**
 * Reads the sparse map that PAX records hold, in version 0.0 (a pair of records
 * for each segment) or 0.1 (one record with all numbers)
 * (GNU tar manual, "PAX Format, Versions 0.0 and 0.1").
 *
 * @returns The map, or `undefined` if the records hold none.
 */
export function readPaxMap(
  records: readonly PaxRecord[],
): SparseMap | undefined {
  let realSize: number | undefined;
  let offset: number | undefined;
  let found = false;
  const segments: Segment[] = [];
  for (const [key, value] of records) {
    switch (key) {
      case "GNU.sparse.size":
        realSize = decimal(value);
        break;
      case "GNU.sparse.numblocks":
        found = true;
        break;
      case "GNU.sparse.offset":
        offset = decimal(value);
        found = true;
        break;
      case "GNU.sparse.numbytes":
        if (offset === undefined) {
          throw new InputError("A sparse map's segment has no offset");
        }
        addSegment(segments, offset, decimal(value));
        offset = undefined;
        break;
      case "GNU.sparse.map": {
        found = true;
        segments.length = 0;
        const numbers = value.length === 0 ? [] : asciiText(value).split(",");
        if (numbers.length % 2 !== 0) {
          throw new InputError("A sparse map's segment has no length");
        }
        for (let i = 0; i < numbers.length; i += 2) {
          addSegment(
            segments,
            decimalText(numbers[i]!),
            decimalText(numbers[i + 1]!),
          );
        }
      }
    }
  }
  if (!found && realSize === undefined) return undefined;
  if (realSize === undefined) {
    throw new InputError("A sparse map has no file size");
  }
  return checkMap({ segments, realSize });
}

/**
 * Reads the sparse map that comes before a file's data, as PAX sparse
 * version 1.0 has it (GNU tar manual, "PAX Format, Version 1.0"): a count, then
 * that many pairs, one decimal number a line, padded to whole blocks.
 *
 * @param bytes Starts with the file's data in the archive.
 * @returns The segments and the map's size in bytes with padding, or
 * `undefined` if `bytes` ends before the map does.
 */
export function readDataMap(
  bytes: Uint8Array,
  realSize: number,
): { map: SparseMap; size: number } | undefined {
  let at = 0;
  const next = (): number | undefined => {
    let value = 0;
    for (let digits = 0; at < bytes.length; at++, digits++) {
      const digit = bytes[at]! - 0x30;
      if (bytes[at] === 0x0a && digits > 0) {
        at++;
        return value;
      }
      if (digit < 0 || digit > 9 || digits > 15) {
        throw badNumber(bytes.subarray(at - digits, at + 1));
      }
      value = value * 10 + digit;
    }
    return undefined;
  };
  const count = next();
  if (count === undefined) return undefined;
  if (count > MAX_SEGMENTS) throw tooMany();
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const offset = next();
    const length = offset === undefined ? undefined : next();
    if (offset === undefined || length === undefined) return undefined;
    addSegment(segments, offset, length);
  }
  const size = Math.ceil(at / BLOCK) * BLOCK;
  if (size > bytes.length) return undefined;
  return { map: checkMap({ segments, realSize }), size };
}

/** Bytes of data that a sparse file's segments have together. */
export function storedSize(map: SparseMap): number {
  let total = 0;
  for (const [, length] of map.segments) total += length;
  return total;
}

function addSegment(segments: Segment[], offset: number, length: number) {
  if (segments.length >= MAX_SEGMENTS) throw tooMany();
  if (offset < 0 || length < 0) {
    throw new InputError(
      `A sparse map holds a negative number: ${Math.min(offset, length)}`,
    );
  }
  const last = segments.at(-1);
  if (last && offset < last[0] + last[1]) {
    throw new InputError(
      `A sparse map's segments overlap: one ends at ${
        last[0] + last[1]
      }, the ` +
        `next one starts at ${offset}`,
    );
  }
  segments.push([offset, length]);
}

function tooMany(): InputError {
  return new InputError(
    `A sparse map has more than ${MAX_SEGMENTS} segments, ` +
      "which tar without --sparse does not write",
  );
}

function checkMap(map: SparseMap): SparseMap {
  const last = map.segments.at(-1);
  if (map.realSize < 0 || (last && last[0] + last[1] > map.realSize)) {
    throw new InputError(
      `A sparse map reaches past the end of its file, which has ` +
        `${map.realSize} bytes`,
    );
  }
  return map;
}

function decimal(value: Uint8Array): number {
  return decimalText(asciiText(value));
}

function decimalText(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw badNumber(text);
  return value;
}

function badNumber(text: string | Uint8Array): InputError {
  return new InputError(`Bad number ${shown(text, 40)} in a sparse map`);
}

/** Finds where in a sparse file its data belong. */
export class SparsePlacer {
  readonly #map: SparseMap;
  #segment = 0;
  /** Bytes taken of the current segment. */
  #taken = 0;

  /** Makes one for a file. */
  constructor(map: SparseMap) {
    this.#map = map;
  }

  /** Takes the data, in order, and gives stretches with their offsets. */
  *push(data: Uint8Array): Generator<{ offset: number; bytes: Uint8Array }> {
    while (data.length > 0) {
      const segment = this.#map.segments[this.#segment];
      if (!segment) return;
      const [start, length] = segment;
      const bytes = data.subarray(0, length - this.#taken);
      yield { offset: start + this.#taken, bytes };
      this.#taken += bytes.length;
      data = data.subarray(bytes.length);
      if (this.#taken === length) {
        this.#segment++;
        this.#taken = 0;
      }
    }
  }
}

/**
 * Turns the data of a sparse file into the file's contents: holes come out as
 * zeros, in pieces of at most `CHUNK` bytes, so that memory stays flat.
 */
export class SparseExpander {
  readonly #placer: SparsePlacer;
  readonly #realSize: number;
  /** Bytes of the file given out so far. */
  #position = 0;

  constructor({ segments, realSize }: SparseMap) {
    this.#placer = new SparsePlacer({ segments, realSize });
    this.#realSize = realSize;
  }

  /** Takes the data, in order, and gives the file's bytes up to its end. */
  *push(data: Uint8Array): Generator<Uint8Array> {
    for (const { offset, bytes } of this.#placer.push(data)) {
      yield* this.#zeros(offset);
      if (bytes.length > 0) yield bytes;
      this.#position += bytes.length;
    }
  }

  /** The rest of the file after the last segment, and padding to a block. */
  *end(): Generator<Uint8Array> {
    yield* this.#zeros(Math.ceil(this.#realSize / BLOCK) * BLOCK);
  }

  *#zeros(until: number): Generator<Uint8Array> {
    while (this.#position < until) {
      const length = Math.min(CHUNK, until - this.#position);
      this.#position += length;
      // A new array each time: the reader may release it.
      yield new Uint8Array(length);
    }
  }
}
