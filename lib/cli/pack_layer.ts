import type { StoredLayer } from "../read/open_image.ts";
import { packedAlready, type PackedLayer } from "../registry/push_image.ts";
import { sha256 } from "../streams/sha256.ts";
import { fromStream } from "../streams/source.ts";
import { compressBlocks } from "../system/compress_blocks.ts";
import { spooled } from "../system/spool_file.ts";

/** How layers can go out. */
export const COMPRESSIONS = ["gzip", "zstd", "none"] as const;

/** One of {@linkcode COMPRESSIONS}. */
export type PushCompression = (typeof COMPRESSIONS)[number];

/**
 * Makes a layer ready to go out: as it is if it is compressed, else compressed
 * into a spool file.
 *
 * @param layer The layer.
 * @param compression How an uncompressed one goes out.
 * @param signal Stops it.
 */
export async function packLayer(
  layer: StoredLayer,
  compression: PushCompression,
  signal: AbortSignal,
): Promise<PackedLayer> {
  const ready = await packedAlready(layer);
  if (ready) return ready;
  const hash = sha256();
  const chunks = fromStream(layer.source.stream());
  if (compression === "none") {
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      hash.update(chunk);
    }
    const { source } = layer;
    const digest = `sha256:${hash.hex()}`;
    return { digest, size: source.size, source, suffix: "" };
  }
  const kind = compression;
  async function* packed() {
    for await (const chunk of compressBlocks(chunks, kind)) {
      signal.throwIfAborted();
      hash.update(chunk);
      yield chunk;
    }
  }
  const spool = await spooled("a layer", packed());
  return {
    digest: `sha256:${hash.hex()}`,
    size: spool.size!,
    source: spool,
    suffix: `+${compression}`,
    close: spool.close,
  };
}
