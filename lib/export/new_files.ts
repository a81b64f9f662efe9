import { InputError } from "../errors/input_error.ts";
import { concat, isUtf8, utf8 } from "../streams/bytes.ts";
import { fileId } from "../system/file_id.ts";
import { fs, isDeno, process } from "../system/node.ts";
import { isRoot } from "../system/own_ids.ts";
import { writeFile } from "../system/fd.ts";
import { fsPath } from "../directory/files.ts";
import { runQuietly } from "../system/programs.ts";
import { ancestorLength } from "../tar/path.ts";
import { Parents } from "./parents.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const SLASH = utf8("/");

/** What a file of a tree gets besides its contents. */
export interface FileMetadata {
  /** Permission bits, with set-uid, set-gid and sticky. */
  mode: number;
  uid: number;
  gid: number;
  /** Modification time in seconds since 1970, with their fraction. */
  mtime: number;
}

/** A file of a tree that is being written. */
export interface NewFile {
  /** Writes bytes at an offset; what is left out stays a hole. */
  write(bytes: Uint8Array, offset: number): void;
  /** Sets size and metadata, and closes it. */
  end(size: number, metadata: FileMetadata): void;
}

/**
 * Writes the files of a tree, whose paths are bytes, relative to the tree's root.
 * Nothing is replaced and no symlink followed: each file is made in a directory
 * that was made here, see {@linkcode Parents}. Owners are set for root only. All
 * throw the system's own errors.
 */
export class NewFiles {
  readonly #parents: Parents;

  /** @param root Path of the tree's root, which is there and empty. */
  constructor(root: string) {
    this.#parents = new Parents(utf8(root));
  }

  /** Makes a directory, for the time being with all rights for its owner only. */
  directory(path: Uint8Array): void {
    this.#in(path, (place) => {
      fs.mkdirSync(place, 0o700);
      this.#parents.add(path, place);
    });
  }

  /** Makes a file to be written. */
  file(path: Uint8Array): NewFile {
    const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW = 0 } = fs.constants;
    const flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW;
    const fd = this.#in(path, (place) => {
      const fd = fs.openSync(place, flags, 0o600);
      // The path still leads to what was made.
      const made = fs.fstatSync(fd, { bigint: true });
      const there = fs.lstatSync(place, { bigint: true });
      if (fileId(made) === fileId(there)) return fd;
      fs.closeSync(fd);
      throw new InputError("another program changes the directory");
    });
    return {
      write: (bytes, offset) => writeFile(fd, bytes, offset),
      end(size, metadata) {
        try {
          fs.ftruncateSync(fd, size);
          setMetadata(fd, metadata);
        } finally {
          fs.closeSync(fd);
        }
      },
    };
  }

  /** Makes a symlink. */
  symlink(
    path: Uint8Array,
    target: Uint8Array,
    metadata: FileMetadata,
  ): void {
    this.#in(path, (place) => {
      fs.symlinkSync(newPath(target), place);
      setOwnerAndTime(place, metadata);
    });
  }

  /** Makes another path of a file. A symlink is not followed, but copied. */
  hardLink(path: Uint8Array, target: Uint8Array): void {
    this.#in(target, (from) => {
      this.#in(path, (place) => {
        if (fs.lstatSync(from).isSymbolicLink()) {
          fs.symlinkSync(fs.readlinkSync(from), place);
        } else fs.linkSync(from, place);
      });
    });
  }

  /**
   * Makes a device or a FIFO, which takes the program `mknod`.
   *
   * @param type `c`, `b` or `p`.
   * @returns Whether that worked.
   */
  special(
    path: Uint8Array,
    type: string,
    numbers: number[],
    metadata: FileMetadata,
  ): boolean {
    if (!isUtf8(path)) return false;
    return this.#in(path, (place) => {
      const name = typeof place === "string"
        ? place as string
        : decoder.decode(place as Uint8Array);
      // The other program's /proc/self is its own.
      const own = name.replace(/^\/proc\/self\//, `/proc/${process().pid}/`);
      const mode = (metadata.mode & 0o777).toString(8);
      const args = ["-m", mode, "--", own, type];
      if (runQuietly("mknod", [...args, ...numbers.map(String)]) !== true) {
        return false;
      }
      setOwnerAndTime(place, metadata);
      return true;
    });
  }

  /** Gives a directory what {@linkcode NewFiles.directory} leaves open. */
  metadata(path: Uint8Array, metadata: FileMetadata): void {
    const fd = this.#parents.open(path);
    try {
      setMetadata(fd, metadata);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Lets go of the directories. */
  close(): void {
    this.#parents.close();
  }

  /** Does something at a path's place in its directory. */
  #in<T>(path: Uint8Array, act: (place: string) => T): T {
    const length = ancestorLength(path, 1);
    const name = path.subarray(length > 0 ? length + 1 : 0);
    return this.#parents.within(
      path.subarray(0, length),
      (directory) => act(newPath(concat([directory, SLASH, name]))),
    );
  }
}

/** Sets owner, mode and time of an open file; another owner takes set-uid away. */
function setMetadata(
  fd: number,
  { mode, uid, gid, mtime }: FileMetadata,
): void {
  if (isRoot()) fs.fchownSync(fd, uid, gid);
  fs.fchmodSync(fd, mode);
  fs.futimesSync(fd, fileTime(mtime), fileTime(mtime));
}

/** Sets owner and time of what is no plain file; a symlink is not followed. */
function setOwnerAndTime(
  place: string,
  { uid, gid, mtime }: FileMetadata,
): void {
  if (isRoot()) fs.lchownSync(place, uid, gid);
  fs.lutimesSync(place, fileTime(mtime), fileTime(mtime));
}

/** A time as `node:fs` takes it: a number below zero means now to it. */
function fileTime(seconds: number): number | Date {
  // Deno takes no part of a second there.
  return seconds < 0 ? new Date(Math.floor(seconds) * 1000) : seconds;
}

/** As {@linkcode fsPath}, for a file that is to be made. */
function newPath(path: Uint8Array): string {
  if (isDeno && !isUtf8(path)) {
    throw new InputError(
      "Deno takes no file name that is not UTF-8; use Node or Bun, or unpack it " +
        "by: ciso export --as bundle | tar -x -C DIR",
    );
  }
  return fsPath(path);
}
