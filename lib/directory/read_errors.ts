import { FileError } from "../errors/file_error.ts";
import { fileChanged } from "../errors/input_changed.ts";
import { shown } from "../errors/shown.ts";
import { ascii } from "../streams/bytes.ts";
import { errorCode, fileError } from "../system/errors.ts";

/** A file that this user must not read. */
export interface Unreadable {
  path: Uint8Array;
  error: unknown;
}

/** Unreadable files that an error names at most. */
const MAX_NAMED = 10;

const DOT = ascii(".");

/** An error of reading a file of a tree, in the user's words. */
export function readError(
  path: Uint8Array,
  root: string,
  cause: unknown,
): FileError {
  const what = path.length > 0 ? `${shown(path)} in ${root}` : root;
  const code = errorCode(cause);
  if (path.length > 0 && (code === "ENOENT" || code === "ENOTDIR")) {
    return new FileError(
      `${what} vanished while the tree was read; try again`,
      {
        cause,
      },
    );
  }
  // A symlink, where the walk has found a file, or the other way round.
  const isLinkCall = (cause as { syscall?: string }).syscall === "readlink";
  if (code === "ELOOP" || code === "EINVAL" && isLinkCall) {
    return changedError(path, root, cause);
  }
  return fileError(`Cannot read ${what}`, cause);
}

/** A file of a tree is not what it was. */
export function changedError(
  path: Uint8Array,
  root: string,
  cause?: unknown,
): FileError {
  const what = path.length > 0 ? `${shown(path)} in ${root}` : root;
  return fileChanged(what, cause);
}

/** The error for files that this user must not read; there is one at least. */
export function unreadableError(
  unreadable: readonly Unreadable[],
  root: string,
): FileError {
  const named = unreadable.slice(0, MAX_NAMED)
    .map(({ path }) => shown(path.length > 0 ? path : DOT)).join(", ");
  const more = unreadable.length - MAX_NAMED;
  return new FileError(
    `Cannot read ${named}${more > 0 ? ` and ${more} more` : ""} in ${root}: ` +
      "permission denied; run ciso as a user who may, or leave out what the " +
      "image does not need with --exclude",
    { cause: unreadable[0]!.error },
  );
}

/** The error for an output in the tree. */
export function outputError(root: string): FileError {
  return new FileError(
    `The archive cannot go into ${root}, which it is made of; put it ` +
      "somewhere else, or leave out the directory that it goes to with " +
      "--exclude",
  );
}

/** What the user should know of sockets that are left out. */
export function socketNote(sockets: readonly Uint8Array[]): string {
  const others = sockets.length - 1;
  return `The socket ${shown(sockets[0]!)} is left out: no archive can hold ` +
    `one${others > 0 ? ` (and ${others} more)` : ""}`;
}

/** What the user should know of a root directory that is not root's. */
export function ownerNote(root: string, uid: number): string {
  return `${root} belongs to user ${uid}, and so does the root directory of ` +
    "the image; --owner 0:0 gives all files to root";
}
