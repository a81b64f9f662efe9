import { FIELD, isZeroBlock } from "../tar/block.ts";
import { TYPE } from "../tar/kind.ts";
import type { TarGap } from "../tar/items.ts";
import type { TarReader } from "../tar/reader.ts";

/** Bytes of zeros at the end of a tar that stay at most. */
export const MAX_ZEROS = 1 << 20;

/** Whether a gap is zeros, not a PAX global header or junk after the end. */
export function isZeros(
  { start }: TarGap,
  { bytes, shape }: TarReader,
): boolean {
  const isGlobal = bytes[start + FIELD.type[0]] === TYPE.global &&
    !isZeroBlock(bytes, start);
  return shape.junk === 0 && !isGlobal;
}
