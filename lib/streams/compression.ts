/** The compressions that an input may have. */
export type Compression = "gzip" | "zstd" | "xz" | "bzip2";

/** How many of an input's first bytes {@linkcode compressionOf} looks at. */
export const LOOKED_AT = 512;

/**
 * The first bytes of each compression's files; -1 is any byte. bzip2's start is
 * text, "BZh", with which the name of a tar's first entry could start.
 */
const MAGIC: [Compression, number[]][] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68, -1, 0x31, 0x41, 0x59, 0x26]],
  // bzip2 of nothing at all.
  ["bzip2", [0x42, 0x5a, 0x68, -1, 0x17, 0x72, 0x45, 0x38]],
];

/** "ustar", at byte 257 of a tar. */
const USTAR = [0x75, 0x73, 0x74, 0x61, 0x72];

/**
 * Tells by its first bytes how an input is compressed.
 *
 * @param first {@linkcode LOOKED_AT} bytes, or all if there are fewer.
 */
export function compressionOf(first: Uint8Array): Compression | undefined {
  const has = (bytes: number[], at = 0) =>
    bytes.every((byte, i) => byte < 0 || first[at + i] === byte);
  for (const [name, magic] of MAGIC) if (has(magic)) return name;
  // A skippable frame of zstd, with which pzstd starts. The name of a tar's
  // first entry may look like one: containerd then skips what it does not need.
  const isSkippable = (first[0]! & 0xf0) === 0x50 && has([0x2a, 0x4d, 0x18], 1);
  return isSkippable && !has(USTAR, 257) ? "zstd" : undefined;
}
