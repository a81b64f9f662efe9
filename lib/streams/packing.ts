/** The compressions that ciso writes. */
export const METHODS = ["gzip", "zstd", "xz"] as const;

/** A compression that ciso writes. */
export type Method = typeof METHODS[number];

/** The compressions that layers have. */
export const LAYER_METHODS: readonly LayerMethod[] = ["gzip", "zstd"];

/** A compression that layers have. */
export type LayerMethod = "gzip" | "zstd";

/** How a file is compressed. */
export interface Packing {
  method: Method;
  /** The method's own level; {@linkcode LEVELS} has the usual one. */
  level?: number | undefined;
  /**
   * How far back the same bytes are looked for, in bytes, by zstd and xz: a power
   * of two for zstd. Who takes the compression off needs as much memory.
   */
  window?: number | undefined;
}

/** The levels that each method has, and the one unless given. */
export const LEVELS: Record<
  Method,
  { lowest: number; highest: number; usual: number }
> = {
  gzip: { lowest: 1, highest: 9, usual: 6 },
  zstd: { lowest: 1, highest: 19, usual: 3 },
  xz: { lowest: 0, highest: 9, usual: 6 },
};

/** The largest window that every engine and program takes that takes zstd. */
export const USUAL_WINDOW = 2 ** 27;

/** The windows that the formats have, in bytes. */
export const WINDOWS = { lowest: 2 ** 20, highest: 2 ** 31 };

/**
 * The window for a file of a size: no larger than the file needs, since who
 * takes the compression off makes room for all of it.
 *
 * @param limit The largest one that is wanted, in bytes.
 * @param size Bytes of the file, where they are known.
 * @returns A power of two.
 */
export function windowFor(limit: number, size: number | undefined): number {
  const most = 2 ** Math.floor(Math.log2(limit));
  if (size === undefined) return most;
  const needed = 2 ** Math.ceil(Math.log2(Math.max(size, 1)));
  return Math.min(most, Math.max(needed, WINDOWS.lowest));
}
