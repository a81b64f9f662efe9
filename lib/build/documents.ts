import { utf8 } from "../streams/bytes.ts";
import { textDigest } from "../streams/sha256.ts";
import { appcManifest, type AppcOptions } from "../formats/appc.ts";
import { runtimeConfig, type RuntimeOptions } from "../formats/bundle.ts";
import { configText } from "../formats/config_text.ts";
import { dockerManifest } from "../formats/docker.ts";
import { jsonText } from "../formats/json_text.ts";
import { lxdMetadata } from "../formats/lxd.ts";
import {
  imageIndex,
  imageManifest,
  ociLayout,
  outerIndex,
  platformIndex,
} from "../formats/oci.ts";
import type { Face } from "../image/face.ts";
import type { Image } from "../image/image.ts";
import type { Layer } from "../image/layer.ts";
import type { Archive } from "./archive.ts";

/** What the documents need to know of the rootfs. */
export type DocumentFacts = RuntimeOptions & AppcOptions;

/** The documents that the others name by their digests. */
export interface ImageDocuments {
  /** The image config, and its digest, which is the image's ID in Docker. */
  config: string;
  imageId: string;
  /** The OCI image manifest and its digest. */
  manifest: string;
  manifestDigest: string;
}

/** An image of one platform, as the documents of several have it. */
export interface PlatformDocuments {
  image: Image;
  made: ImageDocuments;
}

/** The images of several platforms under one name. */
export interface SeveralPlatforms {
  /** All images, the primary one among them, in the order of the index. */
  all: readonly PlatformDocuments[];
  /** The image index that lists them, and its digest. */
  index: string;
  indexDigest: string;
}

/** Ties the images of several platforms together. */
export function severalPlatforms(
  all: readonly PlatformDocuments[],
): SeveralPlatforms {
  const index = jsonText(platformIndex(all.map(({ image, made }) => ({
    image,
    manifest: blobOf(made.manifestDigest, made.manifest),
  }))));
  return { all, index, indexDigest: textDigest(index) };
}

function blobOf(digest: string, text: string) {
  return { digest, size: utf8(text).length };
}

/** Makes image config and image manifest. */
export function imageDocuments(image: Image, layers: Layer[]): ImageDocuments {
  const config = configText(image, layers);
  const imageId = textDigest(config);
  const manifest = jsonText(imageManifest(image, layers, {
    digest: imageId,
    size: utf8(config).length,
  }));
  return { config, imageId, manifest, manifestDigest: textDigest(manifest) };
}

/**
 * Makes all documents, to find what is wrong with a description.
 *
 * @throws {DescriptionError} If it breaks a rule of a format.
 */
export function checkDocuments(
  image: Image,
  layers: Layer[],
  facts: DocumentFacts,
): void {
  configText(image, layers);
  appcManifest(image, facts);
  runtimeConfig(image, facts);
  lxdMetadata(image);
}

/**
 * Adds the documents of all faces but Docker v1: `manifest` first, which rkt
 * wants, then those that name the others.
 */
export function addDocuments(
  archive: Archive,
  faces: ReadonlySet<Face>,
  image: Image,
  { layers, facts, made, platforms }: {
    layers: Layer[];
    facts: DocumentFacts;
    made: ImageDocuments;
    platforms?: SeveralPlatforms | undefined;
  },
): void {
  const { imageId, manifest, manifestDigest } = made;
  const add = (path: string, document: object) =>
    archive.file(path, jsonText(document));
  if (faces.has("appc")) add("manifest", appcManifest(image, facts));
  if (faces.has("oci")) {
    add("oci-layout", ociLayout());
    add(
      "index.json",
      platforms
        ? outerIndex(
          platforms.all.map(({ image }) => image),
          blobOf(platforms.indexDigest, platforms.index),
        )
        : imageIndex(image, blobOf(manifestDigest, manifest)),
    );
  }
  if (faces.has("docker")) {
    add("manifest.json", dockerManifest(image, layers, imageId));
  }
  if (faces.has("bundle")) add("config.json", runtimeConfig(image, facts));
  if (faces.has("lxd")) {
    const application = faces.has("bundle");
    add("metadata.yaml", lxdMetadata(image, { application }));
  }
  addBlobs(archive, faces, made, platforms);
}

/** Adds the documents that are blobs, those of other platforms too. */
function addBlobs(
  archive: Archive,
  faces: ReadonlySet<Face>,
  made: ImageDocuments,
  platforms: SeveralPlatforms | undefined,
): void {
  if (!faces.has("docker") && !faces.has("oci")) return;
  archive.directory("blobs/");
  archive.directory("blobs/sha256/");
  const blob = (digest: string, text: string) =>
    archive.file(`blobs/sha256/${digest}`, text);
  if (platforms) blob(platforms.indexDigest, platforms.index);
  const all = platforms?.all.map(({ made }) => made) ?? [made];
  for (const { config, imageId, manifest, manifestDigest } of all) {
    blob(imageId, config);
    if (faces.has("oci")) blob(manifestDigest, manifest);
  }
}
