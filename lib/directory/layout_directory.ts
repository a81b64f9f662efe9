import { FileError } from "../errors/file_error.ts";
import { InputError } from "../errors/input_error.ts";
import { shownWord } from "../errors/shown.ts";
import { utf8 } from "../streams/bytes.ts";
import type { ImageFiles } from "../read/image_files.ts";
import { fs, join } from "../system/node.ts";
import { normalizePath } from "../tar/path.ts";
import { errorCode, fileError } from "../system/errors.ts";
import { openFile } from "../system/file_source.ts";
import { openPlain } from "../system/plain_open.ts";
import { openDirectory } from "./open_directory.ts";

/** The files of an image that is a directory, such as an OCI layout. */
export function directoryFiles(path: string): ImageFiles {
  return {
    hasRootfs: false,
    open(name) {
      let file = path;
      try {
        const inside = insideOf(path, name);
        if (inside === undefined) return Promise.resolve(undefined);
        file = inside;
        return Promise.resolve(openFile(openPlain(file), file, file));
      } catch (error) {
        if (isMissing(error)) return Promise.resolve(undefined);
        return Promise.reject(
          error instanceof FileError || error instanceof InputError
            ? error
            : fileError(`Cannot read ${file}`, error),
        );
      }
    },
    async openTree(name) {
      let root;
      try {
        root = insideOf(path, name);
        if (root === undefined || !fs.statSync(root).isDirectory()) {
          return undefined;
        }
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
      return await openDirectory(root);
    },
    folders: () =>
      fs.readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name).sort(),
  };
}

/**
 * The path of a file of the directory.
 *
 * @returns `undefined` if the name climbs out of it.
 * @throws {InputError} If a symlink leads out of it: who made the image must
 * not choose files of this machine. A blob may be anywhere: its digest is known.
 */
function insideOf(path: string, name: string): string | undefined {
  let inside;
  try {
    inside = normalizePath(utf8(name));
  } catch {
    return undefined;
  }
  if (inside.length === 0) return undefined;
  const file = join(path, new TextDecoder().decode(inside));
  if (name.startsWith("blobs/")) return file;
  const home = fs.realpathSync(path);
  const real = fs.realpathSync(file);
  if (real.startsWith(home.endsWith("/") ? home : `${home}/`)) return file;
  throw new InputError(
    `${shownWord(name)} is a symlink that leads out of the directory: put ` +
      "what it leads to in its place",
  );
}

function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "");
}
