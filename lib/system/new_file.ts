import { errorCode, writeError } from "./errors.ts";
import { writeFile } from "./fd.ts";
import { leftovers } from "./leftovers.ts";
import { fs } from "./node.ts";
import { temporaryName } from "./temporary_name.ts";

/**
 * Writes a small file that must be new, whole or not at all.
 *
 * @param mode Permission bits, from which the umask takes some.
 * @throws {FileError} If it cannot be written, or there is one already; then its
 * code is `EEXIST`.
 */
export function writeNewFile(
  path: string,
  bytes: Uint8Array,
  mode: number,
): void {
  const part = temporaryName(path);
  const remove = () => fs.rmSync(part, { force: true });
  leftovers.add(remove);
  try {
    const fd = fs.openSync(part, "wx", mode);
    try {
      writeFile(fd, bytes);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    giveName(part, path);
  } catch (error) {
    throw writeError(path, error);
  } finally {
    remove();
    leftovers.delete(remove);
  }
}

/** Gives a file a name that nobody has: a rename would replace another file. */
function giveName(part: string, path: string): void {
  try {
    fs.linkSync(part, path);
  } catch (error) {
    const code = errorCode(error);
    // Some file systems know no hard links.
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") {
      throw error;
    }
    fs.copyFileSync(part, path, fs.constants.COPYFILE_EXCL);
  }
}
