import { jsonText } from "../formats/json_text.ts";
import { InputError } from "../errors/input_error.ts";
import {
  hasConfigLayers,
  type StoredImage,
  type StoredLayer,
} from "../read/stored_image.ts";
import { utf8 } from "../streams/bytes.ts";
import { compressionOf, LOOKED_AT } from "../streams/compression.ts";
import { fromStream, readAt } from "../streams/source.ts";
import { Turns } from "../streams/in_parallel.ts";
import { sha256 } from "../streams/sha256.ts";
import type { RegistryClient } from "./client.ts";
import {
  digestOfBytes,
  MEDIA,
  putManifest,
  type StoredManifest,
} from "./manifest.ts";
import { newRepository } from "./new_repository.ts";
import type { Reference } from "./reference.ts";
import { PassingError } from "./retry.ts";
import { sideBySide } from "./side_by_side.ts";
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

/** How an image is pushed. */
export interface PushOptions extends UploadOptions {
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
  /**
   * The image's manifest as its file holds it: it stays byte for byte if all
   * layers go out as they are.
   */
  original?: StoredManifest | undefined;
  /** Gets what became of each blob. */
  onBlob?: (
    blob: Pick<UploadBlob, "digest" | "size">,
    outcome: UploadOutcome,
  ) => void;
}

/** What a push has done. */
export interface Pushed {
  /** Digest of the manifest, such as `sha256:…`. */
  digest: string;
  mediaType: string;
  /** Size of the manifest in bytes. */
  size: number;
}

/**
 * Pushes one image: its layers, its config and then its manifest, which names
 * them.
 *
 * @param client The registry.
 * @param reference Where it goes; without a tag it goes under its digest.
 * @param image The image, as it was read from an archive.
 * @param options How layers are compressed and blobs uploaded.
 * @returns The manifest's digest.
 * @throws {InputError} If the image has no config, or the registry refuses.
 */
export async function pushImage(
  client: RegistryClient,
  reference: Reference,
  image: StoredImage,
  options: PushOptions,
): Promise<Pushed> {
  const { repository, tag } = reference;
  const { config } = image.base;
  if (config === undefined || !hasConfigLayers(image.layers)) {
    throw new InputError(
      "The image has no OCI config, so no registry takes it: make an isoc of " +
        "it first, with ciso convert",
    );
  }
  const isNew = newRepository(client, repository);
  const push: LayerPush = {
    client,
    repository,
    isNew,
    turns: new Turns(PACKED_AT_ONCE),
  };
  const blob = memoryBlob(utf8(config));
  const layers = image.layers.map((layer) => ({
    size: layer.source.size,
    run: (signal: AbortSignal): Promise<KnownLayer> =>
      pushLayer(push, layer, { ...options, signal }),
  }));
  const [, ...packed] = await sideBySide([{
    size: blob.size,
    async run(signal) {
      const outcome = await uploadBlob(client, repository, blob, {
        ...options,
        signal,
      });
      options.onBlob?.(blob, outcome);
      return { ...blob, suffix: "" };
    },
  }, ...layers], options.signal);
  options.signal?.throwIfAborted();
  const { original } = options;
  const isKept = original !== undefined &&
    packed.every(({ digest }, i) =>
      digest === `sha256:${image.layers[i]!.digest}`
    );
  const manifest = isKept
    ? original
    : manifestOf(blob, packed, image.annotations);
  await putManifest(client, repository, manifest, tag);
  return {
    digest: manifest.digest,
    mediaType: manifest.mediaType,
    size: manifest.bytes.length,
  };
}

/** Where layers go. */
interface LayerPush {
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
const PACKED_AT_ONCE = 2;

async function pushLayer(
  { client, repository, isNew, turns }: LayerPush,
  layer: StoredLayer,
  options: PushOptions & { signal: AbortSignal },
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
  options: PushOptions & { signal: AbortSignal },
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

/**
 * Pushes an image index, which ties the images of several platforms together.
 *
 * OCI image-spec v1.1, "Image Index".
 *
 * @param client The registry.
 * @param reference Where it goes.
 * @param images The images, which the repository has already.
 */
export async function pushIndex(
  client: RegistryClient,
  { repository, tag }: Reference,
  images: readonly (Pushed & { platform?: unknown })[],
): Promise<Pushed> {
  const bytes = utf8(jsonText({
    schemaVersion: 2,
    mediaType: MEDIA.index,
    manifests: images.map(({ mediaType, digest, size, platform }) => ({
      mediaType,
      digest,
      size,
      ...(platform !== undefined && { platform }),
    })),
  }));
  const index = { mediaType: MEDIA.index, digest: digestOfBytes(bytes), bytes };
  await putManifest(client, repository, index, tag);
  return {
    digest: index.digest,
    mediaType: MEDIA.index,
    size: bytes.length,
  };
}

/** OCI image-spec v1.1, "Image Manifest". */
function manifestOf(
  config: UploadBlob,
  layers: KnownLayer[],
  annotations: Record<string, string> | undefined,
): StoredManifest {
  const text = jsonText({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: {
      mediaType: MEDIA.config,
      digest: config.digest,
      size: config.size,
    },
    layers: layers.map(({ digest, size, suffix }) => ({
      mediaType: MEDIA.layer + suffix,
      digest,
      size,
    })),
    ...(annotations && Object.keys(annotations).length > 0 && { annotations }),
  });
  const bytes = utf8(text);
  return { mediaType: MEDIA.manifest, digest: digestOfBytes(bytes), bytes };
}

/** Bytes in memory, to be uploaded. */
export function memoryBlob(bytes: Uint8Array): UploadBlob {
  const blob = new Blob([bytes.slice()]);
  return {
    digest: digestOfBytes(bytes),
    size: bytes.length,
    source: {
      stream: () => blob.stream(),
      slice: (start, end) => blob.slice(start, end),
    },
  };
}
