/** The code of a failed system call, such as `ENOENT`, if the error has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error &&
      typeof error.code === "string"
    ? error.code
    : undefined;
}

/** What went wrong with a file, in words that a user of the shell knows. */
const REASONS: Record<string, string> = {
  EACCES: "permission denied",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file is too large for this file system",
  EIO: "input/output error",
  EISDIR: "it is a directory",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on the device",
  ENOTDIR: "a part of the path is no directory",
  EPERM: "operation not permitted",
  EROFS: "the file system is read-only",
};

/** Tells whether an error comes from the system's work on a file. */
export function isFileError(error: unknown): boolean {
  return (errorCode(error) ?? "") in REASONS;
}

/** An error that names the file and the reason; keeps the code of the cause. */
export function fileError(what: string, cause: unknown): Error {
  const code = errorCode(cause);
  const reason = (code && REASONS[code]) ??
    (cause instanceof Error ? cause.message : String(cause));
  const error = new Error(`${what}: ${reason}`, { cause });
  return code ? Object.assign(error, { code }) : error;
}
