import { FileError } from "./file_error.ts";
import { InputError } from "./input_error.ts";

const MESSAGE = "changed while it was read; try again";

/**
 * The error for an input that is not what it was when it was first read.
 *
 * @example
 * ```ts
 * import { inputChanged } from "./input_changed.ts";
 * import assert from "node:assert/strict";
 *
 * assert.match(inputChanged().message, /changed while it was read; try again$/);
 * ```
 */
export function inputChanged(): InputError {
  return new InputError(`The input ${MESSAGE}`, { remedy: "try again" });
}

/**
 * As {@linkcode inputChanged}, for a file that the message names.
 *
 * @param name The file's name, as it is shown.
 * @param cause The error that showed it, if one did.
 *
 * @example
 * ```ts
 * import { fileChanged } from "./input_changed.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(
 *   fileChanged("a.tar").message,
 *   "a.tar changed while it was read; try again",
 * );
 * ```
 */
export function fileChanged(name: string, cause?: unknown): FileError {
  return new FileError(`${name} ${MESSAGE}`, { cause });
}
