import { FileError } from "../errors/file_error.ts";
import { InputError } from "../errors/input_error.ts";
import { shownWord } from "../errors/shown.ts";
import { utf8 } from "../streams/bytes.ts";
import type { FileSource, ImageFiles } from "../read/image_files.ts";
import { fileId } from "../system/file_id.ts";
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
      const file = placeOf(path, name);
      if (file === undefined) return Promise.resolve(undefined);
      try {
        return Promise.resolve(opened(path, file, name));
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
      const place = placeOf(path, name);
      if (place === undefined) return undefined;
      let root = place;
      try {
        const real = fs.realpathSync(place);
        if (!isInside(path, real)) throw leadsOut(name);
        if (!fs.statSync(real).isDirectory()) return undefined;
        if (fs.lstatSync(place).isSymbolicLink()) root = real;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
      return await openDirectory(root, { isOwnRoot: true });
    },
    folders: () =>
      fs.readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name).sort(),
  };
}

/** The path of a file of the directory; `undefined` if the name climbs out of it. */
function placeOf(path: string, name: string): string | undefined {
  try {
    const inside = normalizePath(utf8(name));
    if (inside.length === 0) return undefined;
    return join(path, new TextDecoder().decode(inside));
  } catch {
    return undefined;
  }
}

/**
 * Opens a file of the directory.
 *
 * @throws {InputError} If a symlink leads out of it: who made the image must
 * not choose files of this machine. A blob may be anywhere: its digest is known.
 */
function opened(path: string, file: string, name: string): FileSource {
  const fd = openPlain(file);
  try {
    // What is there now may be another file than the open one.
    const real = fs.realpathSync(file);
    const isOwn = isInside(path, real) && isSame(fd, real);
    if (!isOwn && !name.startsWith("blobs/")) throw leadsOut(name);
    return Object.assign(openFile(fd, file, file), { isElsewhere: !isOwn });
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** Whether a path without symlinks is below the directory. */
function isInside(path: string, real: string): boolean {
  const home = fs.realpathSync(path);
  return real.startsWith(home.endsWith("/") ? home : `${home}/`);
}

/** Whether an open file is what is at a path. */
function isSame(fd: number, path: string): boolean {
  const open = fs.fstatSync(fd, { bigint: true });
  const there = fs.lstatSync(path, { bigint: true });
  return fileId(open) === fileId(there);
}

function leadsOut(name: string): InputError {
  return new InputError(
    `${shownWord(name)} is a symlink that leads out of the directory: put ` +
      "what it leads to in its place",
  );
}

function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "");
}
