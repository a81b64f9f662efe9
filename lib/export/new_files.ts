import { InputError } from "../errors/input_error.ts";
import { isUtf8 } from "../streams/bytes.ts";
import { fs, isDeno, join, tmpdir } from "../system/node.ts";
import { writeFile } from "../system/fd.ts";
import { fsPath } from "../directory/files.ts";
import { runQuietly } from "../system/programs.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

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
  write(bytes: Uint8Array): void;
  /** Sets size and metadata, and closes it. */
  end(size: number, metadata: FileMetadata): void;
}

/**
 * Writes the files of a tree, whose paths are bytes. Nothing is replaced and no
 * symlink followed, if all directories that the paths lead through were made
 * here. Owners are set for root only. All throw the system's own errors.
 */
export const newFiles = {
  /** Whether this process may give files away and make devices. */
  isRoot: (): boolean => newFiles.ids().uid === 0,
  /** Numbers of the user and the group that new files belong to. */
  ids(): { uid: number; gid: number } {
    if (ownIds) return ownIds;
    // Asking the process would need another permission under Deno.
    const directory = fs.mkdtempSync(join(tmpdir(), "ciso-"));
    try {
      const { uid, gid } = fs.statSync(directory);
      return ownIds = { uid, gid };
    } finally {
      fs.rmdirSync(directory);
    }
  },
  /** Makes a directory, for the time being with all rights for its owner only. */
  directory: (path: Uint8Array): void => fs.mkdirSync(newPath(path), 0o700),
  file(path: Uint8Array): NewFile {
    const fd = fs.openSync(newPath(path), "wx", 0o600);
    return {
      write: (bytes) => writeFile(fd, bytes),
      end(size, { mode, uid, gid, mtime }) {
        try {
          fs.ftruncateSync(fd, size);
          if (newFiles.isRoot()) fs.fchownSync(fd, uid, gid);
          // Another owner takes set-uid away.
          fs.fchmodSync(fd, mode);
          fs.futimesSync(fd, fileTime(mtime), fileTime(mtime));
        } finally {
          fs.closeSync(fd);
        }
      },
    };
  },
  /**
   * Makes a symlink.
   *
   * @returns What is still to be done, if anything: giving it to its owner.
   */
  symlink(
    path: Uint8Array,
    target: Uint8Array,
    { uid, gid, mtime }: FileMetadata,
  ): Promise<void> | undefined {
    const name = newPath(path);
    fs.symlinkSync(newPath(target), name);
    fs.lutimesSync(name, fileTime(mtime), fileTime(mtime));
    // Deno has no other call for this.
    if (newFiles.isRoot() && (uid > 0 || gid > 0)) {
      return fs.promises.lchown(name, uid, gid);
    }
    return undefined;
  },
  /** Makes another path of a file. A symlink is not followed, but copied. */
  hardLink(path: Uint8Array, target: Uint8Array): void {
    const from = newPath(target);
    if (fs.lstatSync(from).isSymbolicLink()) {
      fs.symlinkSync(fs.readlinkSync(from), newPath(path));
    } else fs.linkSync(from, newPath(path));
  },
  /**
   * Makes a device or a FIFO, which takes the program `mknod`.
   *
   * @param type `c`, `b` or `p`.
   * @returns Whether that worked.
   */
  special(path: Uint8Array, type: string, numbers: number[]): boolean {
    if (!isUtf8(path)) return false;
    const args = [decoder.decode(path), type, ...numbers.map(String)];
    return runQuietly("mknod", args) === true;
  },
  /** Sets what {@linkcode newFiles.directory} and `special` leave open. */
  metadata(path: Uint8Array, { mode, uid, gid, mtime }: FileMetadata): void {
    const name = newPath(path);
    if (newFiles.isRoot()) fs.chownSync(name, uid, gid);
    fs.chmodSync(name, mode);
    fs.utimesSync(name, fileTime(mtime), fileTime(mtime));
  },
};

/** A time as `node:fs` takes it: a number below zero would mean now to it. */
function fileTime(seconds: number): number | Date {
  // Deno takes no part of a second there.
  return seconds < 0 ? new Date(Math.floor(seconds) * 1000) : seconds;
}

let ownIds: { uid: number; gid: number } | undefined;

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
