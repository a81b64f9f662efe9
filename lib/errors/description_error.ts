/**
 * What the user says about an image breaks a rule of a format: a name, a user, a
 * port. The program ends with exit code 2.
 *
 * @example
 * ```ts
 * import { DescriptionError } from "./description_error.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(new DescriptionError("Bad port").name, "DescriptionError");
 * ```
 */
export class DescriptionError extends Error {
  /** The name of the class. */
  override name = "DescriptionError";
}
