import { shown } from "../../errors/shown.ts";
import { DescriptionError } from "../../errors/description_error.ts";

/**
 * Checks a path of the image's process that every engine wants absolute.
 *
 * @param what What the path is, as the error's first words.
 * @param path The path.
 * @returns The path, unchanged.
 * @throws {DescriptionError} If it is not absolute or holds a NUL.
 */
export function absolutePath(what: string, path: string): string {
  if (!path.startsWith("/")) {
    throw new DescriptionError(
      `${what} ${shown(path)} is not absolute: start it with "/"`,
    );
  }
  if (path.includes("\0")) {
    throw new DescriptionError(
      `${what} ${shown(path)} holds a NUL byte`,
    );
  }
  return path;
}
