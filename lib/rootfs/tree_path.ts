import { InputError } from "../errors/input_error.ts";
import { normalizePath } from "../tar/path.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";

/** Longest path that Linux takes below rootfs/, in bytes. */
const PATH_MAX = 4095 - ROOTFS.length;

/**
 * Brings a path of the tree to one form, as {@linkcode normalizePath} does, and
 * makes sure that it is still one below rootfs/.
 *
 * @param path Bytes of the path. Not changed; the result may be a view of it.
 * @throws {InputError} If it climbs, or it or a component of it is too long.
 */
export function treePath(path: Uint8Array): Uint8Array {
  const normal = normalizePath(path);
  if (normal.length > PATH_MAX) {
    throw new InputError(
      `The path is ${normal.length} bytes long; Linux takes 4095, ` +
        `${ROOTFS} included: rename directories above it`,
    );
  }
  return normal;
}
