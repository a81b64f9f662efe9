import { counted } from "../errors/counted.ts";
import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import type { Entry, Kind } from "./entry.ts";
import type { Globals } from "./pax.ts";

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
  solarisPax: 0x58, // X
  dumpedDirectory: 0x44, // D
  global: 0x67, // g
} as const;

/** Type flags that readers know and rootfs archives cannot use, by reason. */
const REFUSED = new Map<string, [what: string, remedy?: string]>(
  Object.entries({
    A: ["a Solaris access control list", "archive the tree without ACLs"],
    E: [
      "a Solaris extended attribute",
      "archive the tree without extended attributes",
    ],
    I: ["an inode without a name"],
    M: [
      "the rest of a file of a multi-volume archive",
      "unpack all volumes with tar -M, and archive what comes out",
    ],
    N: ["an old GNU long name"],
  }),
);

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
        throw new InputError(
          `A file's name ends with a slash, but it has ${
            counted(entry.size, "byte")
          }: ` +
            "some readers make a file of it, some a directory",
        );
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
    case TYPE.dumpedDirectory:
      return "directory";
    case TYPE.fifo:
      return "fifo";
    case TYPE.label:
      return "label";
  }
  const letter = String.fromCharCode(entry.flag);
  const [what, remedy] = REFUSED.get(letter) ?? [];
  throw new InputError(
    `Entry type ${shown(letter)}${
      what ? `, ${what},` : ""
    } cannot be in a rootfs`,
    remedy === undefined ? {} : { remedy },
  );
}

/**
 * Takes an entry's size back, if it cannot have data. Readers find the next
 * header right after its own, but some of them only if the size says so.
 */
export function takeNoData(entry: Entry, values: Globals): void {
  // The list of files that a GNU dump puts after a directory's header.
  if (entry.flag !== TYPE.dumpedDirectory) entry.stored = 0;
  // All readers know that a directory or a hard link has a size and no data.
  const isUsual = entry.kind === "directory" || entry.kind === "hardlink";
  if (entry.size > 0 && (!isUsual || values.has("size"))) entry.odd = true;
  if (entry.size > 0) entry.claimed = entry.size;
  entry.size = 0;
}
