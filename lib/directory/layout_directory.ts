import { FileError } from "../errors/file_error.ts";
import { InputError } from "../errors/input_error.ts";
import { utf8 } from "../streams/bytes.ts";
import type { ImageFiles } from "../read/image_files.ts";
import { join } from "../system/node.ts";
import { normalizePath } from "../tar/path.ts";
import { errorCode, fileError } from "../system/errors.ts";
import { openFile } from "../system/file_source.ts";
import { openPlain } from "../system/plain_open.ts";

/** The files of an image that is a directory, such as an OCI layout. */
export function directoryFiles(path: string): ImageFiles {
  return {
    hasRootfs: false,
    open(name) {
      let file = path;
      let fd;
      try {
        const inside = normalizePath(utf8(name));
        if (inside.length === 0) return Promise.resolve(undefined);
        file = join(path, new TextDecoder().decode(inside));
        fd = openPlain(file);
      } catch (error) {
        // A name that climbs out of the directory counts as none.
        const code = error instanceof InputError ? "ENOENT" : errorCode(error);
        if (code === "ENOENT" || code === "ENOTDIR") {
          return Promise.resolve(undefined);
        }
        return Promise.reject(
          error instanceof FileError
            ? error
            : fileError(`Cannot read ${file}`, error),
        );
      }
      return Promise.resolve(openFile(fd, file));
    },
  };
}
