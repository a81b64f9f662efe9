import { zlib } from "./node.ts";

/** Whether the runtime compresses with zstd by itself: Node does from 22.15 on. */
export function hasZstd(): boolean {
  return typeof zlib().createZstdCompress === "function";
}

/** Parameters of a zstd encoder; a checksum lets decoders find damage. */
export function zstdParams(level: number): Record<number, number> {
  const { constants } = zlib();
  return {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: 1,
  };
}
