import { FIELD, numberField } from "../tar/block.ts";
import type { Entry } from "../tar/entry.ts";
import { NODE, type Node } from "./path_index.ts";
import type { StoredEntry } from "./stored_entries.ts";

/** What an entry makes of its path. */
export function nodeOf({ bytes, entry }: StoredEntry): Node {
  switch (entry.kind) {
    case "file":
      return NODE.file;
    case "directory":
      return NODE.directory;
    case "symlink":
      return NODE.symlink;
  }
  return stopsRkt(bytes, entry) ? NODE.hidden : NODE.other;
}

/**
 * Whether an entry is a character device that rkt 1.30 cannot get past:
 * it reads every one in the root file system to its end, which /dev/zero and
 * /dev/full do not have and terminals refuse. /dev/null does no harm.
 */
function stopsRkt(bytes: Uint8Array, entry: Entry): boolean {
  if (entry.flag !== 0x33) return false;
  const major = numberField(bytes, FIELD.devmajor, entry.header);
  const minor = numberField(bytes, FIELD.devminor, entry.header);
  return major !== 1 || minor !== 3;
}

/** Whether a node is a directory, with an entry of its own or without. */
export function isDirectory(node: Node | undefined): boolean {
  return node === NODE.directory || node === NODE.missing;
}

/** Whether a directory's metadata are those that Docker gives a missing one. */
export function isPlainDirectory({ bytes, entry }: StoredEntry): boolean {
  const { header, records } = entry;
  return (numberField(bytes, FIELD.mode, header)! & 0o7777) === 0o755 &&
    numberField(bytes, FIELD.uid, header) === 0 &&
    numberField(bytes, FIELD.gid, header) === 0 &&
    records.every(([key]) =>
      key !== "uid" && key !== "gid" && !key.startsWith("SCHILY.xattr.")
    );
}
