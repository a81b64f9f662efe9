import { InputError } from "../errors/input_error.ts";

/** The input ends inside an entry. */
export class CutShortError extends InputError {
  override name = "CutShortError";

  /**
   * Makes the error.
   *
   * @param what What is missing, or where it ends.
   */
  constructor(what: string) {
    super(`The input is cut short: ${what}; make or fetch it again`);
  }
}
