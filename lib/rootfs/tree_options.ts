import type { Tree } from "./tree.ts";

/**
 * Bytes at most that a compressed input may hold, and that the holes of sparse
 * files may take, unless the user says otherwise.
 */
export const MAX_UNPACKED = 32 * 2 ** 30;

/** A reason why the layer cannot be the input byte for byte. */
export type LayerChange =
  | "aci"
  | "closing-blocks"
  | "entry-types"
  | "global-headers"
  | "hard-links"
  | "hidden-files"
  | "missing-directories"
  | "moved-entries"
  | "repeated-paths"
  | "several-archives"
  | "sparse-files"
  | "volume-label"
  | "whiteouts";

/** What {@linkcode Tree} accepts beyond a plain rootfs. */
export interface TreeOptions {
  /** Take `.wh.*` names as ordinary files. */
  allowWhiteouts?: boolean;
  /** Bytes that the holes of sparse files may take when they are filled. */
  maxUnpacked?: number;
  /** Take only entries below this directory, and as if it were the root. */
  strip?: string;
  /** Take only directories and, of all other entries, these absolute paths. */
  only?: ReadonlySet<string>;
  /**
   * The tree below, where the entries are a layer's: its symlinks count, and
   * missing directories are not missed.
   */
  base?: Tree;
  /**
   * Leave out of the layer the directories that it has no entry for, even where
   * Docker then changes the mode or owner that they have in the tree below.
   */
  keepGaps?: boolean;
  /** Entries are those of several layers, see {@linkcode Tree.beginLayer}. */
  layered?: boolean;
}
