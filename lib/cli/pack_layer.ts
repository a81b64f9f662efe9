import type { StoredLayer } from "../read/open_image.ts";
import { packedAlready, type PackedLayer } from "../registry/push_image.ts";
import { sha256 } from "../streams/sha256.ts";
import { fromStream } from "../streams/source.ts";
import { packChunks } from "../system/pack_layer.ts";

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
  const chunks = fromStream(layer.source.stream());
  if (compression === "none") {
    const hash = sha256();
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      hash.update(chunk);
    }
    const { source } = layer;
    const digest = `sha256:${hash.hex()}`;
    return { digest, size: source.size, source, suffix: "" };
  }
  async function* wanted() {
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      yield chunk;
    }
  }
  const { digest, size, source, close } = await packChunks(
    wanted(),
    compression,
  );
  return {
    digest: `sha256:${digest}`,
    size,
    source,
    suffix: `+${compression}`,
    close,
  };
}
