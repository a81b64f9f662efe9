import { shown } from "../errors/shown.ts";
import { utf8 } from "../streams/bytes.ts";
import { normalizePath } from "../tar/path.ts";
import { named } from "./failure.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Reads a path of a tree, as an option names it.
 *
 * @param option The option with its dashes, and its value.
 * @param path The path that the value has.
 * @returns The path, normalized; that of the root is empty.
 * @throws {UsageError} If no file can have it.
 */
export function treePath(
  [option, value]: readonly [option: string, value: string],
  path: string,
): Uint8Array {
  const origin = `${option} ${shown(value)}`;
  if (path.split("/").includes("..")) {
    throw new UsageError(
      `${origin}: the path climbs with '..'; name it from the tree's own root`,
    );
  }
  if (path.includes("\0")) {
    throw new UsageError(`${origin}: a path holds no NUL`);
  }
  return named(origin, () => normalizePath(utf8(path)));
}
