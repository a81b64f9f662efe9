/** The compressions that an input may have. */
export type Compression = "gzip" | "zstd" | "xz" | "bzip2";

/**
 * The first bytes of each compression's files; -1 is any byte. bzip2's start is
 * text, "BZh", with which the name of a tar's first entry could start.
 */
const MAGIC: Record<Compression, number[]> = {
  gzip: [0x1f, 0x8b, 0x08],
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
  xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  bzip2: [0x42, 0x5a, 0x68, -1, 0x31, 0x41, 0x59, 0x26],
};

/** Tells by its first bytes how an input is compressed. */
export function compressionOf(first: Uint8Array): Compression | undefined {
  for (const [name, magic] of Object.entries(MAGIC)) {
    if (magic.every((byte, i) => byte < 0 || first[i] === byte)) {
      return name as Compression;
    }
  }
  return undefined;
}
