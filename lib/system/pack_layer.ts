import type { LayerMethod } from "../streams/packing.ts";
import { sha256 } from "../streams/sha256.ts";
import { compressBlocks } from "./compress_blocks.ts";
import type { Input } from "./input.ts";
import { spooled } from "./spool_file.ts";

/** A compressed layer in a spool file. */
export interface PackedChunks {
  /** SHA-256 of the compressed bytes, in hex. */
  digest: string;
  /** How many they are. */
  size: number;
  /** How they are compressed. */
  compression: LayerMethod;
  /** The compressed bytes. */
  source: Input & { size: number };
  /** Removes the spool file. */
  close(): void;
}

/**
 * Compresses a layer on all cores into a spool file.
 *
 * @param chunks The layer, uncompressed. Released.
 * @param compression How.
 * @param level The compression's level; 6 for gzip and 3 for zstd unless given.
 * @param memLevel As of {@linkcode compressBlocks}.
 * @returns The compressed layer, until it is closed.
 * @throws {Error} If the spool file cannot be written.
 *
 * @example
 * ```ts
 * import { build } from "@isoc/isoc";
 * import { packChunks } from "@isoc/isoc/node";
 * import assert from "node:assert/strict";
 *
 * const { stdout } = await new Deno.Command("tar", {
 *   args: ["-c", "-C", "tests", "."],
 * }).output();
 * const isoc = await build(new Blob([stdout]), {
 *   names: ["isoc/tests:1.0"],
 *   command: ["/bin/sh"],
 * }, { packLayer: (chunks) => packChunks(chunks, "gzip") });
 * assert.ok(isoc.layers[0]!.blob!.size < stdout.length);
 * ```
 */
export async function packChunks(
  chunks: AsyncGenerator<Uint8Array>,
  compression: LayerMethod,
  level?: number,
  memLevel?: number,
): Promise<PackedChunks> {
  const hash = sha256();
  async function* hashed() {
    for await (
      const chunk of compressBlocks(
        chunks,
        compression,
        level,
        memLevel,
      )
    ) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const source = await spooled("a layer", hashed());
  const size = source.size!;
  return {
    digest: hash.hex(),
    size,
    compression,
    source: source as Input & { size: number },
    close: source.close,
  };
}
