import { FileError } from "../errors/file_error.ts";
import { shown } from "../errors/shown.ts";
import { fileId } from "./file_id.ts";
import { fs, join } from "./node.ts";

/**
 * Refuses a path that the runtime follows elsewhere than the system does. Unless
 * it may do all, Deno drops `NAME/..` from paths, also where NAME is a symlink to
 * another directory.
 *
 * @throws {FileError} If so; or the system's own error.
 */
export function checkDots(path: string): void {
  for (const { index } of path.matchAll(/(?<=[^/.]|[^/]\.)\/+\.\.(?=\/|$)/g)) {
    const above = path.slice(0, index);
    const there = fs.statSync(`${above}/..`, { bigint: true });
    const meant = fs.statSync(join(fs.realpathSync(above), ".."), {
      bigint: true,
    });
    if (fileId(there) === fileId(meant)) continue;
    throw new FileError(
      `Deno leads ${shown(path)} past the symlink ${shown(above)}: give the ` +
        "path without .., or run deno with --allow-all",
    );
  }
}
