import type { IgnoreRules } from "../directory/dockerignore.ts";
import type { Glob } from "../directory/glob.ts";
import type { Source } from "../streams/source.ts";
import type { ModeChange } from "./mode.ts";

/** What one edit came to. */
export interface Tally {
  /** The option that asks for it, without dashes. */
  readonly edit: string;
  /** The option's value, where it has one. */
  readonly value?: string;
  /** How many entries it has changed, added or left out. */
  entries: number;
  /** Whether it has met entries that it is for, changed or not. */
  met?: boolean;
}

/** Numbers of an owner. */
export interface Owner {
  /** Number of the user. */
  uid: number;
  /** Number of the group. */
  gid: number;
}

/** A mode for the paths that match. */
export interface ModeRule {
  glob: Glob;
  change: ModeChange;
  tally: Tally;
}

/** A path that goes, with all that is below it. */
export interface Removal {
  /** Normalized. */
  path: Uint8Array;
  tally: Tally;
}

/** A file to be added, or a tree of them. */
export interface Addition {
  /** Where it goes, normalized; the tree's root goes there. */
  path: Uint8Array;
  source: Source & { readonly size: number };
  /** Whether the source is the tar of a tree. */
  isTree: boolean;
  /** Permission bits of a file. */
  mode: number;
  owner: Owner;
  /** Whether the owner was asked for: then it stays. */
  hasOwner: boolean;
  /** Whether the mode was asked for: then it stays. */
  hasMode: boolean;
  /** Seconds since 1970. */
  seconds: number;
  tally: Tally;
}

/** A time for all files, or the latest that they may have. */
export interface TimeRule {
  /** Whole seconds since 1970. */
  seconds: number;
  /** Only later times become this one. */
  clamp: boolean;
  tally: Tally;
}

/**
 * Edits of a tree. Whatever their order, they are done in this one: what is
 * left out, what is taken off paths, what is removed, what is added, then modes,
 * owners, times and the order of entries.
 */
export interface Edits {
  exclude?: { rules: IgnoreRules; tally: Tally } | undefined;
  strip?: { count: number; tally: Tally } | undefined;
  remove?: readonly Removal[] | undefined;
  add?: readonly Addition[] | undefined;
  chmod?: readonly ModeRule[] | undefined;
  owner?: (Owner & { tally: Tally }) | undefined;
  time?: TimeRule | undefined;
  sort?: { tally: Tally } | undefined;
}

/** Tells what is at a normalized path; nothing if nothing is. */
export type Look = (
  path: Uint8Array,
) => "directory" | "symlink" | "other" | undefined;

/** What a tar that is edited is part of. */
export interface EditedTar {
  /** Whether it is a layer, in which names that start with `.wh.` delete. */
  isLayer?: boolean;
  /** Only entries below this directory are files of the tree, as in an ACI. */
  below?: string;
  /** Where everything goes: a path that comes before all others. */
  above?: Uint8Array;
  /** Tells what is where it goes already. */
  look?: Look;
  /** Bytes that the holes of sparse files may take when they are filled. */
  maxUnpacked?: number | undefined;
}

/** Gets what becomes of entries, such as `Pieces`. */
export interface EditedPieces {
  /** Takes a stretch of the buffer. */
  keep(start: number, end: number): void;
  /** Takes new bytes. */
  add(bytes: Uint8Array): void;
}
