import { jsonText } from "../formats/json_text.ts";
import { InputError } from "../errors/input_error.ts";
import { hasConfigLayers, type StoredImage } from "../read/stored_image.ts";
import { utf8 } from "../streams/bytes.ts";
import { Turns } from "../streams/in_parallel.ts";
import type { RegistryClient } from "./client.ts";
import {
  digestOfBytes,
  MEDIA,
  putManifest,
  type StoredManifest,
} from "./manifest.ts";
import { newRepository } from "./new_repository.ts";
import {
  type KnownLayer,
  type LayerOptions,
  type LayerPush,
  PACKED_AT_ONCE,
  pushLayer,
} from "./push_layer.ts";
import type { Reference } from "./reference.ts";
import { sideBySide } from "./side_by_side.ts";
import { uploadBlob } from "./upload.ts";
import type { UploadBlob } from "./upload_place.ts";

/** How an image is pushed. */
export interface PushOptions extends LayerOptions {
  /**
   * The image's manifest as its file holds it: it stays byte for byte if all
   * layers go out as they are.
   */
  original?: StoredManifest | undefined;
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
