import { concat } from "../streams/bytes.ts";
import { components, joinPath } from "../tar/path.ts";
import { treePath } from "./tree_path.ts";

const SLASH = 0x2f;

/** Where `rest` below the symlink at `link` leads; the tree's root is `/`. */
export function follow(
  link: Uint8Array,
  target: Uint8Array,
  rest: Uint8Array,
): Uint8Array {
  const cut = link.lastIndexOf(0x2f);
  const parts = target[0] === 0x2f
    ? []
    : [...components(link.subarray(0, Math.max(cut, 0)))];
  for (const part of components(target)) {
    // Above the root is the root, as in a container.
    if (isUp(part)) parts.pop();
    else parts.push(part);
  }
  let path: Uint8Array = concat(
    parts.flatMap((part, i) => i === 0 ? [part] : [Uint8Array.of(0x2f), part]),
  );
  path = joinPath(path, rest);
  return treePath(path);
}

/**
 * Whether a symlink leads above the directory that rootfs/ is in.
 *
 * @param path Its path, normalized.
 */
export function climbs(path: Uint8Array, target: Uint8Array): boolean {
  // In rootfs/, with all directories above it but none below.
  let depth = 1;
  for (let i = 0; i < path.length; i++) if (path[i] === SLASH) depth++;
  for (const part of components(target)) {
    depth += isUp(part) ? -1 : 1;
    if (depth < 0) return true;
  }
  return false;
}

/** Whether a part of a path is `..`. */
function isUp(part: Uint8Array): boolean {
  return part.length === 2 && part[0] === 0x2e && part[1] === 0x2e;
}
