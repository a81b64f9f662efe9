import { InputError } from "./input_error.ts";

/**
 * The error for an input that is not what it was when it was first read.
 *
 * @param what What the message calls the input.
 * @param cause The error that told of it, if one did.
 *
 * @example
 * ```ts
 * import { inputChanged } from "./input_changed.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(
 *   inputChanged("a.tar").message,
 *   "a.tar changed while it was read; try again",
 * );
 * ```
 */
export function inputChanged(what = "The input", cause?: unknown): InputError {
  return new InputError(`${what} changed while it was read; try again`, {
    cause,
    remedy: "try again",
  });
}
