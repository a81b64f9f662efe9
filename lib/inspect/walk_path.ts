import { InputError } from "../errors/input_error.ts";
import { joinPath } from "../tar/path.ts";
import type { FileTree } from "./file_tree.ts";

/** Symlinks that are followed on the way to one file at most, as in Linux. */
const MAX_LINKS = 40;

/**
 * Gets each node on a way that is no directory, and whether the path ends there.
 *
 * @returns Whether the node is a directory now.
 */
export type Obstacle = (node: number, isLast: boolean) => boolean;

/**
 * The node that a path of a tree leads to, or `undefined`.
 *
 * @param last Whether a symlink at its end is not followed.
 */
export function nodeAt(
  tree: FileTree,
  path: Uint8Array,
  last: boolean,
): number | undefined {
  const cut = last ? path.lastIndexOf(0x2f) : path.length;
  const parent = walkPath(
    tree,
    path.subarray(0, Math.max(cut, 0)),
    () => false,
  );
  if (parent === undefined || !last || path.length === 0) return parent;
  const node = tree.child(parent, path, cut + 1);
  return node >= 0 && tree.type(node) !== undefined ? node : undefined;
}

/**
 * Walks along a path, through symlinks.
 *
 * @param hasLinks Whether symlinks are followed; else they are obstacles.
 * @returns The directory, or `undefined` where an obstacle stays.
 * @throws {InputError} If symlinks go in a circle.
 */
export function walkPath(
  tree: FileTree,
  path: Uint8Array,
  obstacle: Obstacle,
  hasLinks = true,
): number | undefined {
  let node = 0;
  let links = 0;
  let from = 0;
  for (let i = 0; i <= path.length; i++) {
    if (i < path.length && path[i] !== 0x2f) continue;
    const start = from;
    from = i + 1;
    if (i === start || (i === start + 1 && path[start] === 0x2e)) continue;
    if (i === start + 2 && path[start] === 0x2e && path[start + 1] === 0x2e) {
      node = tree.parent(node);
      continue;
    }
    const child = tree.childFor(node, path, start, i);
    if (tree.isDirectory(child)) {
      node = child;
      continue;
    }
    if (tree.type(child) === "symlink" && hasLinks) {
      if (++links > MAX_LINKS) {
        throw new InputError("Symlinks on the way to it go in a circle");
      }
      const link = tree.link(child)!;
      // The walk goes on along the target, then along the rest of the path.
      path = joinPath(link, path.subarray(Math.min(from, path.length)));
      if (link[0] === 0x2f) node = 0;
      from = 0;
      i = -1;
      continue;
    }
    if (!obstacle(child, from > path.length)) return undefined;
    node = child;
  }
  return node;
}
