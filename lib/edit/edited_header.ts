import {
  BLOCK,
  FIELD,
  numberField,
  putChecksum,
  putNumber,
} from "../tar/block.ts";
import type { ReadEntry } from "../tar/entry_facts.ts";
import { patch, rebuild, type Target } from "../tar/rebuild.ts";
import type { Owner } from "./edits.ts";

/** What an entry's header is to say instead. */
export interface HeaderEdit {
  /** Path as it is written; a directory's ends with a slash. */
  path?: Uint8Array | undefined;
  /** A hard link's target as it is written. */
  link?: Uint8Array | undefined;
  mode?: number | undefined;
  owner?: Owner | undefined;
  /** Whole seconds since 1970. */
  seconds?: number | undefined;
}

const TIMES = new Set(["mtime", "atime", "ctime", "LIBARCHIVE.creationtime"]);
const OWNERS = new Set(["uid", "gid", "uname", "gname"]);

/**
 * Changes an entry's header blocks: in their place where that says all, else in
 * new ones, which hold no sparse map.
 *
 * @param read The entry. Its buffer is changed if that says all.
 * @returns New header blocks, or `undefined` if the old ones do.
 */
export function editHeader(
  { bytes, entry, globals }: ReadEntry,
  edit: HeaderEdit,
): Uint8Array | undefined {
  const { path, link, owner, seconds } = edit;
  const goes = (key: string) =>
    owner !== undefined && OWNERS.has(key) ||
    seconds !== undefined && TIMES.has(key);
  const moves = path !== undefined || link !== undefined;
  const target: Target = { path: path ?? entry.path, without: goes };
  if (link) target.link = link;
  const isInPlace = globals.size === 0 && !entry.odd &&
    !entry.records.some(([key]) => goes(key)) &&
    (!moves || patch(bytes, entry, target));
  if (isInPlace) {
    putNumbers(bytes, entry.header, edit);
    return undefined;
  }
  const made = rebuild(bytes, entry, globals, target);
  putNumbers(made, made.length - BLOCK, edit);
  return made;
}

/** Writes numbers into a main header block. */
function putNumbers(
  bytes: Uint8Array,
  header: number,
  { mode, owner, seconds }: HeaderEdit,
): void {
  if (mode === undefined && !owner && seconds === undefined) return;
  if (mode !== undefined) {
    // Old writers have the file's type in there, too.
    const type = numberField(bytes, FIELD.mode, header)! & ~0o7777;
    putNumber(bytes, FIELD.mode, type | mode, header);
  }
  if (owner) {
    putNumber(bytes, FIELD.uid, owner.uid, header);
    putNumber(bytes, FIELD.gid, owner.gid, header);
    // GNU tar goes by the names, where the machine knows them.
    for (const [offset, length] of [FIELD.uname, FIELD.gname]) {
      bytes.fill(0, header + offset, header + offset + length);
    }
  }
  if (seconds !== undefined) putNumber(bytes, FIELD.mtime, seconds, header);
  putChecksum(bytes, header);
}
