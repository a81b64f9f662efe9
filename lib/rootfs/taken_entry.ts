import type { Node } from "./path_index.ts";
import type { StoredEntry } from "./stored_entries.ts";

/** An entry as a tree takes it. */
export interface AddedEntry extends StoredEntry {
  /** Where its header blocks start in the source, in blocks of 512 bytes. */
  block: number;
}

/** An entry that a tree has taken. */
export interface TakenEntry {
  added: AddedEntry;
  /** Its path as its header has it. */
  given: Uint8Array;
  /** The path that it goes to. */
  path: Uint8Array;
  node: Node;
}

/**
 * What is written where a directory has no entry: nothing, a new entry, or one
 * from a lower layer.
 */
export type MissingDirectory = "nothing" | "new" | StoredEntry;
