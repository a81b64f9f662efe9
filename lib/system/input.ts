import type { Compression } from "../streams/compression.ts";
import type { Source } from "../streams/source.ts";

/** An input: its bytes, and a way to let go of it. */
export interface Input extends Source {
  /** Size in bytes, or `undefined` for a pipe that has not been read yet. */
  readonly size: number | undefined;
  /** The compression that was taken off, if any. */
  readonly compression?: Compression | undefined;
  /** Closes the file and removes the spool file, if any. */
  close(): void;
}
