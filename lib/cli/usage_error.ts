/** A mistake on the command line: the program ends with exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}
