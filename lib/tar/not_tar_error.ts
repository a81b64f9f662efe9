import { InputError } from "../errors/input_error.ts";

/** The input does not even start as a tar does. */
export class NotTarError extends InputError {
  override name = "NotTarError";

  /** Makes the error; whoever knows what the input is says more. */
  constructor() {
    super("The input is no tar archive");
  }
}
