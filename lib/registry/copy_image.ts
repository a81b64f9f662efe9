import { InputError } from "../errors/input_error.ts";
import { chooseImage, type ImageChoice } from "../read/choose_image.ts";
import type { FileSource, ImageFiles } from "../read/image_files.ts";
import { type BlobDescriptor, blobPath, isImage } from "../read/read_oci.ts";
import type { RegistryClient } from "./client.ts";
import { putManifest, type StoredManifest } from "./manifest.ts";
import { asCandidate, readLayout, type TopImage } from "./platform_images.ts";
import type { Pushed, PushOptions } from "./push_image.ts";
import type { Reference } from "./reference.ts";
import { sideBySide } from "./side_by_side.ts";
import { uploadBlob } from "./upload.ts";

/** An image as it is: all documents and blobs of it, byte for byte. */
export interface ImageParts {
  /** Names that its file has for it. */
  names: string[];
  /** What a tag leads to: a manifest, or an index of several. */
  top: StoredManifest;
  /** All other manifests and indexes, each after those that it lists. */
  documents: StoredManifest[];
  /** Configs and layers by digest. */
  blobs: Map<string, FileSource>;
}

/** Which image is copied. */
export interface PartsChoice extends ImageChoice {
  /** Whether all platforms are, with their index. */
  allPlatforms: boolean;
}

/**
 * Finds what a copy of an image takes.
 *
 * @param files The image's files.
 * @param choice Which image.
 * @returns `undefined` if the files are no OCI image layout: then there are no
 * manifests that could stay as they are.
 * @throws {InputError} If there is no such image, or parts of it are missing.
 */
export async function imageParts(
  files: ImageFiles,
  { allPlatforms, name, ...choice }: PartsChoice,
): Promise<ImageParts | undefined> {
  const one = (listed: BlobDescriptor[]) =>
    chooseImage(
      listed.filter(isImage).map((one) => ({
        ...one,
        id: one.digest,
        digests: [one.digest],
        names: [],
      })),
      choice,
    ).slice(0, 1);
  const { tops } = await readLayout(files, allPlatforms ? undefined : one);
  if (tops.length === 0) return undefined;
  const all = tops.map(asCandidate);
  const [chosen] = chooseImage(all, {
    ...(name !== undefined && { name }),
    ...(!allPlatforms && choice),
  });
  const top = tops.find(({ manifest }) => manifest.digest === chosen!.id)!;
  return await partsOf(files, top, allPlatforms);
}

async function partsOf(
  files: ImageFiles,
  { names, manifest, images, documents, attached, isWhole }: TopImage,
  allPlatforms: boolean,
): Promise<ImageParts> {
  if (allPlatforms && !isWhole) {
    throw new InputError(
      "Its image index lists images that are not there: copy one of them, " +
        "with --platform",
    );
  }
  const blobs = new Map<string, FileSource>();
  const digests = images.flatMap(({ blobs }) => blobs);
  for (const hex of allPlatforms ? [...digests, ...attached] : digests) {
    const blob = await files.open(blobPath(hex));
    if (!blob) throw new InputError(`${blobPath(hex)} is missing`);
    blobs.set(`sha256:${hex}`, blob);
  }
  const top = allPlatforms ? manifest : images[0]!.manifest;
  const rest = allPlatforms
    ? documents.filter((one) => one !== manifest).reverse()
    : [];
  return { names, top, documents: rest, blobs };
}

/** How {@linkcode pushParts} pushes. */
export type PartsOptions = Omit<PushOptions, "pack" | "original">;

/**
 * Pushes an image as it is: its digest stays.
 *
 * @param client The registry.
 * @param reference Where it goes; without a tag it goes under its digest.
 * @param parts The image.
 * @param options How blobs are uploaded.
 * @throws {InputError} If the registry refuses.
 */
export async function pushParts(
  client: RegistryClient,
  { repository, tag }: Pick<Reference, "repository" | "tag">,
  { top, documents, blobs }: ImageParts,
  options: PartsOptions,
): Promise<Pushed> {
  const uploads = [...blobs].map(([digest, source]) => ({
    size: source.size,
    run: async (signal: AbortSignal) => {
      const blob = { digest, size: source.size, source };
      const outcome = await uploadBlob(client, repository, blob, {
        ...options,
        signal,
      });
      options.onBlob?.(blob, outcome);
    },
  }));
  await sideBySide(uploads, options.signal);
  options.signal?.throwIfAborted();
  for (const one of documents) await putManifest(client, repository, one);
  await putManifest(client, repository, top, tag);
  const { digest, mediaType, bytes } = top;
  return { digest, mediaType, size: bytes.length };
}
