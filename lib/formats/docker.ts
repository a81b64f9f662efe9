import type { Image } from "../image/image.ts";
import { parseNames } from "../image/name.ts";
import { givenFields } from "./given_fields.ts";
import { type Layer, storedBlob } from "../image/layer.ts";

/** One image in `manifest.json`, the index of a `docker save` archive. */
export interface DockerManifestEntry {
  /** Path of the image config in the archive. */
  Config: string;
  /** Names with tags, in the form that `docker images` shows. */
  RepoTags: string[];
  /** Paths of the layers in the archive, lowest first. */
  Layers: string[];
}

/**
 * Makes `manifest.json`, which `docker load` has read since Docker 1.10. It
 * shares the blobs with the OCI layout.
 *
 * @param image The image.
 * @param layers The layers, lowest first.
 * @param imageId SHA-256 of the image config's text, 64 lower-case hex digits.
 * @returns The document.
 * @throws {DescriptionError} If a name is malformed.
 */
export function dockerManifest(
  image: Image,
  layers: Layer[],
  imageId: string,
): DockerManifestEntry[] {
  return [{
    Config: blobPath(imageId),
    RepoTags: parseNames(image.names).map(({ familiar }) => familiar),
    Layers: layers.map((layer) => blobPath(storedBlob(layer).digest)),
  }];
}

/**
 * Lists the fields that an image sets and a `docker save` archive cannot
 * express. `manifest.json` has no room for annotations.
 *
 * @param image The image.
 * @returns Names of fields.
 */
export function unsupportedByDocker(image: Image): (keyof Image)[] {
  return givenFields(image, ["annotations"]);
}

function blobPath(digest: string): string {
  return `blobs/sha256/${digest}`;
}
