import { concat, isAscii } from "../streams/bytes.ts";
import {
  type Dialect,
  FIELD,
  type Field,
  numberField,
  textField,
} from "./block.ts";

/** Where GNU keeps the times of access and of change; ustar has its prefix there. */
const GNU_TIMES: readonly [Field, Field] = [[345, 12], [357, 12]];
/** star's prefix is shorter than ustar's. */
const STAR_PREFIX: Field = [345, 131];
/** The last byte of what other readers take for the prefix of a star header. */
const AFTER_STAR_PREFIX = 475;

/** A path that header blocks say, and whether readers agree on it. */
export interface HeaderPath {
  path: Uint8Array;
  odd: boolean;
}

/**
 * The path in a header block's own fields, as Go's reader takes it.
 *
 * @param header Where the block is.
 */
export function headerPath(
  bytes: Uint8Array,
  header: number,
  dialect: Dialect,
): HeaderPath {
  const name = textField(bytes, FIELD.name, header);
  const hasPrefix = bytes[header + FIELD.prefix[0]] !== 0;
  switch (dialect) {
    case "v7":
      // libarchive, busybox and Python take a prefix in some of these.
      return { path: name, odd: hasPrefix };
    case "gnu":
      // busybox and Python take GNU's times for a prefix.
      return {
        path: hasPrefix && !hasTimes(bytes, header)
          ? join(goPrefix(bytes, header), name)
          : name,
        odd: hasPrefix,
      };
    case "star":
      return {
        path: join(textField(bytes, STAR_PREFIX, header), name),
        odd: hasPrefix && bytes[header + AFTER_STAR_PREFIX] !== 0,
      };
    case "ustar":
      return {
        path: join(textField(bytes, FIELD.prefix, header), name),
        odd: false,
      };
  }
}

/** Whether a GNU header has times, and not something else there. */
function hasTimes(bytes: Uint8Array, header: number): boolean {
  return GNU_TIMES.every((field) =>
    bytes[header + field[0]] === 0 ||
    numberField(bytes, field, header) !== undefined
  );
}

/**
 * A prefix in a GNU header, which has none: Go before 1.8 wrote it, in images of
 * Docker too, and Go's reader still takes it if it is ASCII.
 */
function goPrefix(bytes: Uint8Array, header: number): Uint8Array {
  const prefix = textField(bytes, FIELD.prefix, header);
  return isAscii(prefix) ? prefix : prefix.subarray(0, 0);
}

function join(prefix: Uint8Array, name: Uint8Array): Uint8Array {
  if (prefix.length === 0) return name;
  return concat([prefix, Uint8Array.of(0x2f), name]);
}
