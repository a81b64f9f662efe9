import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import type { Entry, Kind } from "./entry.ts";

/** Type flags of header blocks. */
export const TYPE = {
  nul: 0,
  file: 0x30,
  hardlink: 0x31,
  symlink: 0x32,
  char: 0x33,
  block: 0x34,
  directory: 0x35,
  fifo: 0x36,
  contiguous: 0x37,
  sparse: 0x53, // S
  longName: 0x4c, // L
  longLink: 0x4b, // K
  label: 0x56, // V
  pax: 0x78, // x
  global: 0x67, // g
} as const;

/** Type flags that readers know and rootfs archives cannot use, by reason. */
const REFUSED = new Map(Object.entries({
  A: "a Solaris access control list",
  D: "a GNU incremental dump's directory",
  E: "a Solaris extended attribute",
  I: "an inode without a name",
  M: "the rest of a file of a multi-volume archive",
  N: "an old GNU long name",
  X: "a Solaris extended header",
}));

/**
 * Tells what an entry is.
 *
 * @throws {InputError} If it is nothing that a rootfs can have.
 */
export function kindOf(entry: Entry): Kind {
  switch (entry.flag) {
    case TYPE.nul:
    case TYPE.file:
    case TYPE.contiguous:
      // Before POSIX a directory was a file whose name ends with a slash.
      if (entry.path.at(-1) !== 0x2f) return "file";
      if (entry.size > 0) {
        throw new InputError("A file's name ends with a slash");
      }
      return "directory";
    case TYPE.sparse:
      return "file";
    case TYPE.hardlink:
      return "hardlink";
    case TYPE.symlink:
      return "symlink";
    case TYPE.char:
    case TYPE.block:
      return "device";
    case TYPE.directory:
      return "directory";
    case TYPE.fifo:
      return "fifo";
    case TYPE.label:
      return "label";
  }
  const letter = String.fromCharCode(entry.flag);
  const reason = REFUSED.get(letter);
  throw new InputError(
    `Entry type ${shown(letter)}${reason ? `, ${reason},` : ""} ` +
      "cannot stand in a rootfs",
  );
}

/** Readers take no data from these, whatever their size field says. */
export function takeNoData(entry: Entry): void {
  // A hard link's size tells of its target in old archives; no data follow.
  if (entry.size > 0 && entry.kind !== "hardlink") {
    throw new InputError(
      `A ${entry.kind} that holds data (${entry.size} bytes)`,
    );
  }
  entry.size = 0;
  entry.stored = 0;
}
