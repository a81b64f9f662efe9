import { InputError } from "../errors/input_error.ts";

/**
 * A file does not have a face as it must go out, but perhaps holds an image of
 * which `ciso convert` makes an isoc that has it.
 */
export class FaceMissingError extends InputError {
  override name = "FaceMissingError";
}
