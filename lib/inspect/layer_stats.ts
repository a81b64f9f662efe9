import type { FileType } from "../tar/entry_facts.ts";

/** A number of files and their bytes. */
export interface Tally {
  files: number;
  bytes: number;
}

/** What a layer does to the tree. */
export interface LayerStats {
  /** Entries of its tar. */
  entries: number;
  /** How many of them are files, directories and so on. */
  types: Partial<Record<FileType | "whiteout", number>>;
  /** Files and directories that were not there before. */
  added: Tally;
  /** Files that were there before, and directories with another mode or owner. */
  changed: Tally;
  /** Files and directories of lower layers that are gone. */
  deleted: Tally;
  /** Files of lower layers that it replaces or deletes: their bytes are wasted. */
  wastes: Tally;
  /** Files of its own that are replaced or deleted, by itself or later layers. */
  wasted: Tally;
}
