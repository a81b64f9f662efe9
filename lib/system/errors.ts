import { InputError } from "../errors/input_error.ts";
import { FileError } from "../errors/file_error.ts";
import { shown } from "../errors/shown.ts";
import { errorNumbers } from "./node.ts";
import { forbidden, isForbidden } from "./permissions.ts";

/** The code of a failed system call, such as `ENOENT`, if the error has one. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  // Deno knows the codes of some calls by their numbers alone.
  const [, number] = /\(os error (\d+)\)$/.exec(error.message) ?? [];
  return number === undefined ? undefined : codeOf(Number(number));
}

function codeOf(number: number): string | undefined {
  return Object.entries(errorNumbers()).find(([, value]) => value === number)
    ?.[0];
}

/** What went wrong with a file, in words that a user of the shell knows. */
const REASONS = new Map([
  ["EACCES", "permission denied"],
  ["EADDRINUSE", "the address is in use"],
  ["EADDRNOTAVAIL", "this machine has no such address"],
  ["EAGAIN", "the system is busy; try again"],
  ["EBADF", "it is closed"],
  ["EBUSY", "it is in use, or something is mounted there"],
  ["ECONNREFUSED", "nothing answers there"],
  ["ECONNRESET", "the other side closed the connection"],
  ["EDQUOT", "the disk quota is used up"],
  ["EEXIST", "it exists already"],
  ["EFBIG", "the file is too large for this file system, or for ulimit -f"],
  ["EINTR", "the system interrupted it; try again"],
  ["EINVAL", "the system does not take it"],
  ["EIO", "input/output error"],
  ["EISDIR", "it is a directory"],
  ["ELOOP", "its symlinks lead in a circle"],
  ["EMFILE", "too many files are open; raise the limit with ulimit -n"],
  ["EMLINK", "it has too many hard links"],
  ["ENAMETOOLONG", "the name is too long"],
  ["ENFILE", "too many files are open on this machine"],
  ["ENODEV", "there is no such device"],
  ["ENOENT", "no such file or directory"],
  ["ENOEXEC", "this machine cannot run it"],
  ["ENOMEM", "there is not enough memory"],
  ["ENOSPC", "no space left on the device"],
  ["ENOSYS", "this system cannot do that"],
  ["ENOTDIR", "a part of the path is not a directory"],
  ["ENOTEMPTY", "the directory is not empty"],
  ["ENOTSUP", "the file system cannot do that"],
  ["ENXIO", "there is no such device, or nobody reads the pipe"],
  ["EOPNOTSUPP", "the file system cannot do that"],
  ["EOVERFLOW", "a number is too large for this system"],
  ["EPERM", "operation not permitted"],
  ["EPIPE", "nobody reads it any more"],
  ["EROFS", "the file system is read-only"],
  ["ESTALE", "the network file system has lost it; try again"],
  ["ETIMEDOUT", "the time is up"],
  ["ETXTBSY", "a program runs from it"],
  ["EXDEV", "it is on another file system"],
]);

/** Whether an error comes from the system's work on a file. */
export function isFileError(error: unknown): boolean {
  return REASONS.has(errorCode(error) ?? "");
}

/**
 * Why work on a file fails, as a plain sentence without a full stop.
 *
 * @returns `undefined` if the error is not about a file or a permission.
 */
export function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // Deno's own permissions, which the user gives on the command line.
  if (isForbidden(error)) return forbidden(error);
  const code = errorCode(error);
  if (code === undefined) return undefined;
  return REASONS.get(code) ??
    (/^E[A-Z0-9]{2,}$/.test(code) ? `the system says ${code}` : undefined);
}

/**
 * An error that names the file and the reason; it has the code of the cause.
 */
export function fileError(what: string, cause: unknown): FileError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const reason = cause instanceof InputError
    ? text
    : reasonOf(cause) ?? (cause instanceof FileError ? text : shown(text));
  return new FileError(`${what}: ${reason}`, { code: errorCode(cause), cause });
}

/** A {@linkcode fileError} about a file that cannot be written. */
export function writeError(path: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause;
  // What is not there is the directory: the file itself would be made.
  return errorCode(cause) === "ENOENT"
    ? new FileError(
      `Cannot write ${path}: the directory that it goes to does not exist; make it first`,
      { code: "ENOENT", cause },
    )
    : fileError(`Cannot write ${path}`, cause);
}

/**
 * As {@linkcode fileError}, where ciso sees the fault before the system does.
 */
export function codeError(what: string, code: string): FileError {
  return new FileError(`${what}: ${REASONS.get(code) ?? code}`, { code });
}
