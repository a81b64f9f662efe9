import type { StoredLayer } from "../read/stored_image.ts";
import { compressionOf, LOOKED_AT } from "../streams/compression.ts";
import type { Turns } from "../streams/in_parallel.ts";
import { sha256 } from "../streams/sha256.ts";
import { fromStream, readAt } from "../streams/source.ts";
import type { RegistryClient } from "./client.ts";
import { PassingError } from "./retry.ts";
import {
  findBlob,
  uploadBlob,
  type UploadedPieces,
  type UploadOutcome,
  uploadPieces,
} from "./upload.ts";
import {
  isBegun,
  type UploadBlob,
  type UploadOptions,
} from "./upload_place.ts";

/** What a layer is in a registry. */
export interface KnownLayer {
  /** Such as `sha256:…`. */
  digest: string;
  /** In bytes. */
  size: number;
  /** What its media type ends with: empty, `+gzip` or `+zstd`. */
  suffix: string;
  /** What an unfinished upload of it is remembered by; the digest unless given. */
  key?: string | undefined;
}

/** A layer that is ready to be uploaded. */
export interface PackedLayer extends UploadBlob, KnownLayer {
  /** Removes its copy. */
  close?(): void;
}

/** A layer that is compressed while it goes out. */
export interface LayerPieces {
  /** The compressed bytes; the same each time. */
  pieces: () => AsyncGenerator<Uint8Array>;
  /** As in {@linkcode KnownLayer}. */
  suffix: string;
  /** What an unfinished upload of it is remembered by. */
  key: string;
  /** Remembers what became of it. */
  onUploaded: (blob: UploadedPieces) => void;
}

/** How layers are pushed. */
export interface LayerOptions extends UploadOptions {
  /** What became of a layer that was compressed before. */
  known?: (layer: StoredLayer) => KnownLayer | undefined;
  /** Compresses a layer into a spool, which the caller closes. */
  pack: (layer: StoredLayer, signal: AbortSignal) => Promise<PackedLayer>;
  /**
   * Compresses a layer for a repository that has nothing, while it goes out.
   * Gives `undefined` if it goes out as it is.
   */
  packPieces?: (
    layer: StoredLayer,
    signal: AbortSignal,
  ) => Promise<LayerPieces | undefined>;
  /** Gets what became of each blob. */
  onBlob?: (
    blob: Pick<UploadBlob, "digest" | "size">,
    outcome: UploadOutcome,
  ) => void;
}

/** Where layers go. */
export interface LayerPush {
  client: RegistryClient;
  repository: string;
  /**
   * Whether the repository has nothing. What is there already need not go out:
   * that shows after the compression.
   */
  isNew: () => Promise<boolean>;
  /** Who compresses. */
  turns: Turns;
}

/** Layers that are compressed at a time: each of them takes all cores. */
export const PACKED_AT_ONCE = 2;

/**
 * Pushes a layer as it is, or compressed, unless the registry has it.
 *
 * @returns What it is in the registry.
 */
export async function pushLayer(
  { client, repository, isNew, turns }: LayerPush,
  layer: StoredLayer,
  options: LayerOptions & { signal: AbortSignal },
): Promise<KnownLayer> {
  const { signal, onBlob } = options;
  const known = options.known?.(layer);
  const found = known && await findBlob(client, repository, known, options);
  if (known && found) {
    onBlob?.(known, found);
    return known;
  }
  const made = known || options.mountFrom?.length
    ? undefined
    : await options.packPieces?.(layer, signal);
  if (
    made && !isBegun(client, repository, made.key, options) && await isNew()
  ) {
    const sent = await turns.take(() =>
      pushPieces(client, repository, made, options)
    );
    if (sent) return sent;
  }
  const blob = await turns.take(() => options.pack(layer, signal));
  try {
    const outcome = await uploadBlob(client, repository, blob, options);
    onBlob?.(blob, outcome);
  } finally {
    blob.close?.();
  }
  return blob;
}

/**
 * Uploads a layer while it is compressed.
 *
 * @returns `undefined` if the connection broke so that it begins anew.
 */
async function pushPieces(
  client: RegistryClient,
  repository: string,
  { pieces, suffix, key, onUploaded }: LayerPieces,
  options: LayerOptions & { signal: AbortSignal },
): Promise<KnownLayer | undefined> {
  options.signal.throwIfAborted();
  try {
    const blob = await uploadPieces(client, repository, pieces(), {
      ...options,
      key,
    });
    onUploaded(blob);
    options.onBlob?.(blob, "uploaded");
    return { ...blob, suffix };
  } catch (error) {
    if (error instanceof PassingError) return undefined;
    throw error;
  }
}

/**
 * A layer as it is, if a registry can have it so.
 *
 * @param layer The layer.
 * @returns `undefined` if it is not compressed, or in a way that OCI does not
 * know.
 */
export async function packedAlready(
  layer: StoredLayer,
): Promise<PackedLayer | undefined> {
  const { source } = layer;
  const compression = compressionOf(await readAt(source, 0, LOOKED_AT));
  if (compression !== "gzip" && compression !== "zstd") return undefined;
  let { digest } = layer;
  if (digest === undefined) {
    const hash = sha256();
    for await (const chunk of fromStream(source.stream())) hash.update(chunk);
    digest = hash.hex();
  }
  return {
    digest: `sha256:${digest.replace(/^sha256:/, "")}`,
    size: source.size,
    source,
    suffix: `+${compression}`,
  };
}
