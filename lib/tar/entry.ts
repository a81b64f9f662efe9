import type { Dialect } from "./block.ts";
import type { PaxRecord } from "./pax.ts";
import type { SparseMap } from "./sparse.ts";

/** What an entry is, in whatever dialect. */
export type Kind =
  | "file"
  | "directory"
  | "symlink"
  | "hardlink"
  | "device"
  | "fifo"
  /** A GNU volume label: no file at all. */
  | "label";

/** One entry of a tar: its header blocks as they are, and what they mean. */
export interface Entry {
  /** Where in the buffer its first header block is. */
  start: number;
  /** Where its header blocks, extensions and sparse map included, end. */
  end: number;
  /** Where the main header block is. */
  header: number;
  kind: Kind;
  /** The main header block's type flag. */
  flag: number;
  dialect: Dialect;
  /** What the main header says; a PAX record may say something else. */
  mode: number;
  uid: number;
  gid: number;
  /** In seconds since 1970. */
  mtime: number;
  /** Its path as written, with all extensions applied. */
  path: Uint8Array;
  /** Its link target as written, with all extensions applied. */
  link: Uint8Array;
  /** Size in bytes of the file's contents. */
  size: number;
  /**
   * Bytes that follow its header blocks, without padding: data, or what has no
   * meaning in a rootfs.
   */
  stored: number;
  /** Its own PAX records, in order. Empty if it has no PAX header. */
  records: readonly PaxRecord[];
  /** Where its PAX header block is, or -1. */
  pax: number;
  /** Whether a GNU long name gave its path. */
  longName: boolean;
  /** Whether a GNU long link gave its link target. */
  longLink: boolean;
  /**
   * Whether readers take its headers for different things. What is here is what
   * Go's reader takes, which most engines use; headers that are written anew say
   * the same to all.
   */
  odd: boolean;
  sparse?: SparseMap | undefined;
  /** The size that it says although it cannot have data. */
  claimed?: number;
}
