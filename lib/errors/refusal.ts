import { DescriptionError } from "./description_error.ts";
import { InputError } from "./input_error.ts";

/** Whether an error says that what was read or asked for is wrong: it is no bug. */
export function isRefusal(
  error: unknown,
): error is InputError | DescriptionError {
  return error instanceof InputError || error instanceof DescriptionError;
}

/**
 * What a function makes of foreign text.
 *
 * @returns `undefined` if it refuses the text. Any other error is a bug and is
 * thrown on.
 *
 * @example
 * ```ts
 * import { InputError } from "./input_error.ts";
 * import { unlessRefused } from "./refusal.ts";
 * import assert from "node:assert/strict";
 *
 * const refuse = () => {
 *   throw new InputError("Bad size");
 * };
 * assert.equal(unlessRefused(refuse), undefined);
 * assert.equal(unlessRefused(() => 1), 1);
 * ```
 */
export function unlessRefused<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}
