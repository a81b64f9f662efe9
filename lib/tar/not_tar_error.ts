import { InputError } from "../errors/input_error.ts";
import { fileKind } from "./file_kind.ts";

/** The input does not even start as a tar does. */
export class NotTarError extends InputError {
  override name = "NotTarError";
  /** The same for an image file, which is a tar as well. */
  readonly imageMessage: string;

  /**
   * Makes the error, which says what the input is instead.
   *
   * @param first The input's first bytes, as many as are at hand.
   */
  constructor(first: Uint8Array) {
    const kind = fileKind(first);
    super(
      kind
        ? `The input is not a tar archive, but ${kind.name}: ${kind.remedy}`
        : "The input is not a tar archive: give a tar or a directory",
      kind && { remedy: kind.remedy },
    );
    this.imageMessage = kind
      ? `It is not an image, but ${kind.name}: ${kind.remedy}`
      : "It is not an image, since it is not a tar archive: give an image file";
  }
}
