import {
  BLOCK,
  checksumMatches,
  dialectOf,
  FIELD,
  textField,
} from "./block.ts";
import type { Entry, Kind } from "./entry.ts";
import { headerPath } from "./header_path.ts";
import { plainNumbers } from "./header_numbers.ts";
import { TYPE } from "./kind.ts";
import type { PaxRecord } from "./pax.ts";

const NO_RECORDS: readonly PaxRecord[] = [];
const SLASH = 0x2f;

/**
 * Reads the header block of an entry like nearly all: one block that has neither
 * extensions nor anything that needs a closer look.
 *
 * @param bytes A part of a tar; `at` is a block boundary in it.
 * @returns What `readAnyEntry()` finds there too, or `undefined` if it is for that
 * to say.
 */
export function readPlainEntry(
  bytes: Uint8Array,
  at: number,
): Entry | undefined {
  if (at + BLOCK > bytes.length) return undefined;
  const flag = bytes[at + FIELD.type[0]]!;
  const kind = plainKind(flag);
  if (!kind) return undefined;
  const dialect = dialectOf(bytes, at);
  if (dialect !== "gnu" && dialect !== "ustar") return undefined;
  const numbers = plainNumbers(bytes, at);
  if (!numbers) return undefined;
  const { mode, uid, gid, size, mtime } = numbers;
  if (kind !== "file" && size > 0) return undefined;
  const path = plainPath(bytes, at, dialect);
  if (!path) return undefined;
  // A file whose name ends with a slash may be a directory.
  if (kind === "file" && path[path.length - 1] === SLASH) return undefined;
  if (!checksumMatches(bytes, at)) return undefined;
  return {
    start: at,
    end: at + BLOCK,
    header: at,
    kind,
    flag,
    dialect,
    mode,
    uid,
    gid,
    mtime,
    path,
    link: textField(bytes, FIELD.link, at),
    size,
    stored: size,
    records: NO_RECORDS,
    pax: -1,
    longName: false,
    longLink: false,
    odd: false,
  };
}

/** The path of a header block, unless readers may not agree on it. */
function plainPath(
  bytes: Uint8Array,
  at: number,
  dialect: "gnu" | "ustar",
): Uint8Array | undefined {
  if (bytes[at + FIELD.prefix[0]] === 0) {
    return textField(bytes, FIELD.name, at);
  }
  // What GNU has there may be another thing.
  return dialect === "gnu" ? undefined : headerPath(bytes, at, dialect).path;
}

function plainKind(flag: number): Kind | undefined {
  switch (flag) {
    case TYPE.file:
      return "file";
    case TYPE.directory:
      return "directory";
    case TYPE.symlink:
      return "symlink";
    case TYPE.hardlink:
      return "hardlink";
  }
  return undefined;
}
