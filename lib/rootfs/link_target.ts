import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import type { EntryPaths } from "./entry_paths.ts";
import { isDirectory } from "./entry_node.ts";
import type { PathIndex } from "./path_index.ts";
import type { TreeFiles } from "./tree_files.ts";

/** Where a hard link leads. */
export interface LinkTarget {
  /** The slot of the file. */
  target: number;
  /** The path that the link's header names. */
  wanted: Uint8Array;
  /** The same, symlinks above it followed. */
  targetPath: Uint8Array;
}

/** What {@linkcode findLinkTarget} looks into. */
export interface LinkedTree {
  index: PathIndex;
  paths: EntryPaths;
  files: TreeFiles;
}

/**
 * Finds what a hard link leads to.
 *
 * @param link Its target as its header has it.
 * @param isBelow Whether only the tree below a layer has a path.
 * @throws {InputError} If it leads to nothing that engines can link to.
 */
export async function findLinkTarget(
  { index, paths, files }: LinkedTree,
  link: Uint8Array,
  isBelow: (path: Uint8Array) => Promise<boolean>,
): Promise<LinkTarget> {
  const wanted = linkPath(paths, link);
  const targetPath = await files.resolve(wanted);
  const target = targetPath.length === 0 ? -1 : index.find(targetPath);
  if (target < 0) {
    const what = `It is a hard link to ${shown(link)}, which`;
    if (await isBelow(wanted)) {
      throw new InputError(
        `${what} only a lower layer has: Docker cannot link to that; put the ` +
          "file itself here",
      );
    }
    throw new InputError(
      `${what} is not before it in the archive; put the file before the link`,
    );
  }
  if (isDirectory(index.node(target))) {
    throw new InputError(
      `It is a hard link to the directory ${shown(link)}; make it a symlink`,
    );
  }
  return { target, wanted, targetPath };
}

/** The path in the tree that a hard link's header names. */
function linkPath(paths: EntryPaths, link: Uint8Array): Uint8Array {
  let reason = "It is not below the directory that is the root; put the file " +
    "itself here";
  try {
    const path = paths.inTree(link);
    if (path) return path;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    reason = error.message;
  }
  throw new InputError(
    `Its link target ${shown(link)} leads out of the tree: ${reason}`,
  );
}
