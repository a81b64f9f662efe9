/** What an {@linkcode InputError} can say beside its message. */
export interface InputErrorOptions extends ErrorOptions {
  /** The entry of the archive that is at fault, as it is shown. */
  entry?: string;
  /** What the user can do about it, without a full stop. */
  remedy?: string;
}

/**
 * What ciso got to read cannot become what was asked for: a file, an archive or
 * the machine is at fault. The program ends with exit code 1.
 *
 * @example
 * ```ts
 * import { InputError } from "./input_error.ts";
 * import assert from "node:assert/strict";
 *
 * const error = new InputError("Bad size", { entry: '"a"', remedy: "repack it" });
 * assert.equal(error.entry, '"a"');
 * ```
 */
export class InputError extends Error {
  /** The name of the class. */
  override name = "InputError";
  /** The entry of the archive that is at fault, as it is shown. */
  readonly entry: string | undefined;
  /** What the user can do about it. */
  readonly remedy: string | undefined;

  /**
   * Makes the error.
   *
   * @param message What is wrong, whole: it already names entry and remedy.
   * @param options The same for programs, and the cause.
   */
  constructor(message: string, options: InputErrorOptions = {}) {
    super(message, options);
    this.entry = options.entry;
    this.remedy = options.remedy;
  }
}
