import { isDirectory } from "./entry_node.ts";
import { NODE, type PathIndex } from "./path_index.ts";
import type { TreeFiles } from "./tree_files.ts";
import type { Whiteout, Whiteouts } from "./whiteouts.ts";

/** What a layer knows once all of its entries have come. */
export interface JudgedLayer {
  index: PathIndex;
  files: TreeFiles;
  /** The files of the tree below it. */
  below: TreeFiles;
  whiteouts: Whiteouts;
}

/**
 * Decides what becomes of a deletion that Docker's overlay2 may not take as the
 * specification says: a directory that is deleted and made anew keeps its old
 * content there, a deletion after its path's new entry makes it fail, and one in
 * a directory that lower layers do not have shows up as a file.
 *
 * @param slot The whiteout's entry.
 * @returns Whether it is kept, dropped, or dropped while the directory in a slot
 * becomes opaque.
 */
export function judgeWhiteout(
  layer: JudgedLayer,
  { path, opaque }: Whiteout,
  slot: number,
): "kept" | "dropped" | { opaque: number } {
  const cut = path.lastIndexOf(0x2f);
  const parent = path.subarray(0, Math.max(cut, 0));
  if (opaque) return isRightOpaque(layer, path, parent) ? "kept" : "dropped";
  const { index, below, whiteouts } = layer;
  const anew = index.find(path);
  if (anew < 0) {
    const isRight = parent.length === 0 ||
      isDirectory(below.nodeAt(parent)) && !whiteouts.deletes(parent) &&
        !whiteouts.empties(parent);
    return isRight ? "kept" : "dropped";
  }
  const isNewDirectory = isDirectory(index.node(anew));
  if (isNewDirectory && isDirectory(below.nodeAt(path))) {
    return whiteouts.isOpaque(path) ? "dropped" : { opaque: anew };
  }
  return slot < anew && !isNewDirectory ? "kept" : "dropped";
}

/**
 * Whether engines agree on an entry that makes a directory opaque. They do
 * not on whether it makes its directory, and containerd deletes what comes before
 * it in the lowest layer.
 */
function isRightOpaque(
  { files, below, whiteouts }: JudgedLayer,
  path: Uint8Array,
  parent: Uint8Array,
): boolean {
  if (path.length === 0) return false;
  return files.nodeAt(path) !== NODE.missing ||
    isDirectory(below.nodeAt(path)) && !whiteouts.empties(parent);
}
