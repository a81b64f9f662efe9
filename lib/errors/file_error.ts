/** What a {@linkcode FileError} can say beside its message. */
export interface FileErrorOptions extends ErrorOptions {
  /** The code of the failed system call, such as `ENOENT`. */
  code?: string | undefined;
}

/**
 * A file, a pipe or a program of this machine fails. The message names it. The
 * program ends with exit code 1.
 *
 * @example
 * ```ts
 * import { FileError } from "./file_error.ts";
 * import assert from "node:assert/strict";
 *
 * const error = new FileError("Cannot read x: no such file", { code: "ENOENT" });
 * assert.equal(error.code, "ENOENT");
 * ```
 */
export class FileError extends Error {
  /** Tells it from other errors, also across copies of this module. */
  override name = "FileError";
  /** The code of the failed system call, if there was one. */
  readonly code: string | undefined;

  /**
   * Makes the error.
   *
   * @param message What fails, with the file's name, and the remedy.
   * @param options The code for programs, and the cause.
   */
  constructor(message: string, options: FileErrorOptions = {}) {
    super(message, options);
    this.code = options.code;
  }
}
