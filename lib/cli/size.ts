import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";

const UNITS = ["", "K", "M", "G", "T"];

/**
 * Reads a size: a number of bytes, or with K, M, G or T for powers of 1024.
 *
 * @param text The size.
 * @returns Bytes.
 * @throws {InputError} If the text is no size.
 */
export function parseSize(text: string): number {
  const [, number, unit] =
    /^(\d+(?:\.\d+)?)(?:([KMGT])(?:i?B)?|B)?$/i.exec(text) ??
      [];
  const power = UNITS.indexOf((unit ?? "").toUpperCase());
  const size = Math.floor(Number(number) * 1024 ** power);
  if (!number || !Number.isSafeInteger(size)) {
    throw new InputError(
      `${shown(text)} is no size such as 500M or 16G`,
    );
  }
  return size;
}
