import { ascii, concat } from "../streams/bytes.ts";
import {
  BLOCK,
  FIELD,
  padded,
  putChecksum,
  putNumber,
  putText,
} from "./block.ts";
import { paxEntry } from "./rebuild.ts";

/** An entry that this program adds to an archive. */
export interface NewEntry {
  /** Path; a directory's ends with a slash. */
  path: string | Uint8Array;
  type: "file" | "directory" | "symlink";
  /** Size of the data in bytes; 0 unless given. */
  size?: number;
  /** Permission bits; 0644 for files, 0755 for directories, 0777 for links. */
  mode?: number;
  /** Seconds since 1970; 0 unless given. */
  mtime?: number;
  /** A symlink's target. */
  link?: string;
}

const TYPE = { file: 0x30, symlink: 0x32, directory: 0x35 };
const MODE = { file: 0o644, symlink: 0o777, directory: 0o755 };

/**
 * Makes the header blocks of an entry owned by root
 * (POSIX.1-2017 pax, "ustar Interchange Format").
 *
 * @returns A multiple of 512 bytes: one block, after a PAX header where the
 * path is longer than 100 bytes.
 */
export function newHeader(entry: NewEntry): Uint8Array {
  const path = typeof entry.path === "string" ? ascii(entry.path) : entry.path;
  const block = new Uint8Array(BLOCK);
  putText(block, FIELD.name, path);
  putNumber(block, FIELD.mode, entry.mode ?? MODE[entry.type]);
  putNumber(block, FIELD.uid, 0);
  putNumber(block, FIELD.gid, 0);
  putNumber(block, FIELD.size, entry.size ?? 0);
  putNumber(block, FIELD.mtime, entry.mtime ?? 0);
  block[FIELD.type[0]] = TYPE[entry.type];
  putText(block, FIELD.link, ascii(entry.link ?? ""));
  putText(block, FIELD.magic, ascii("ustar\x0000"));
  putText(block, FIELD.uname, ascii("root"));
  putText(block, FIELD.gname, ascii("root"));
  putNumber(block, FIELD.devmajor, 0);
  putNumber(block, FIELD.devminor, 0);
  putChecksum(block);
  if (path.length <= FIELD.name[1]) return block;
  return concat([...paxEntry([["path", path]]), block]);
}

/** Zeros that bring data of `size` bytes to whole blocks. */
export function padding(size: number): Uint8Array {
  return new Uint8Array(padded(size) - size);
}

/** The two blocks of zeros that close an archive. */
export function closing(): Uint8Array {
  return new Uint8Array(2 * BLOCK);
}
