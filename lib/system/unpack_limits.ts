import { FileError } from "../errors/file_error.ts";
import { WINDOWS } from "../streams/packing.ts";
import type { Compression } from "../streams/compression.ts";

/** What a compressed file may take at most. */
export interface UnpackLimits {
  /** Bytes that it may hold. */
  maxUnpacked: number;
  /** Bytes of memory that taking its compression off may need (its window). */
  maxWindow: number;
}

/** {@linkcode UnpackLimits.maxWindow} unless the user says more: 128 MiB. */
export const MAX_WINDOW = 2 ** 27;

/** The error for a file that needs more memory than it may. */
export function windowError(
  name: string,
  compression: Compression,
  maxWindow: number,
  window?: number,
): FileError {
  if (window !== undefined && window > WINDOWS.highest) {
    return new FileError(
      `${name}: taking ${compression} off needs a window of ${
        mebibytes(window)
      }, and decoders have ${
        mebibytes(WINDOWS.highest)
      } at most: it is damaged, ` +
        "or no image",
    );
  }
  const needs = window === undefined
    ? "more memory"
    : `a window of ${mebibytes(window)}`;
  return new FileError(
    `${name}: taking ${compression} off needs ${needs}, but --max-window ` +
      `allows ${mebibytes(maxWindow)}; if the memory is there, raise it` +
      (window === undefined ? "" : `: --max-window=${mebibytes(window)}`),
  );
}

/** A size as --max-window takes it, rounded up. */
function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)}M`;
}
