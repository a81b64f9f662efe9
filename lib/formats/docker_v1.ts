import type { Image } from "../image/image.ts";
import { parseNames } from "../image/name.ts";
import { givenFields } from "./given_fields.ts";
import type { Layer } from "../image/layer.ts";
import { processObject } from "./config_text.ts";
import { rfc3339 } from "./values/time.ts";
import { sortedRecord } from "./sorted_record.ts";
import { textDigest } from "../streams/sha256.ts";

/** A Docker v1 image: one layer and its description in one document. */
export interface V1Image {
  id: string;
  parent?: string;
  created: string;
  /** Docker makes the layer's history entry from the words in here. */
  container_config?: { Cmd: string[] };
  author?: string;
  config: object;
  architecture: string;
  variant?: string;
  os: string;
  /** Size of the layer in bytes. */
  Size: number;
}

/**
 * Makes the file `json` beside a v1 layer, for Docker 1.9 and older. Newer ones
 * up to Docker 28 read it when an archive has no `manifest.json`.
 *
 * @param image The image.
 * @param layer The layer; its digest is the ID of the v1 image.
 * @param parent ID of the v1 image below this layer, if any.
 * @returns The document.
 * @throws {DescriptionError} If a port, a path, a variable or a health check is
 * malformed.
 * @throws {DescriptionError} If a port number, a health check's time or the creation
 * time is out of bounds.
 *
 * @see {@link https://github.com/moby/docker-image-spec/blob/v1.3.1/v1.md}
 */
export function v1Json(image: Image, layer: Layer, parent?: string): V1Image {
  return {
    id: layer.digest,
    ...(parent && { parent }),
    created: rfc3339(image.created),
    ...(image.history && { container_config: { Cmd: [image.history] } }),
    ...(image.author && { author: image.author }),
    config: processObject(image),
    architecture: image.architecture,
    ...(image.variant && { variant: image.variant }),
    os: image.os ?? "linux",
    Size: layer.size,
  };
}

/** A layer's place in the chain of v1 images. */
export interface V1Link {
  /** ID of the v1 image. */
  id: string;
  /** SHA-256 of its layer in hex. */
  digest: string;
  /** ID of the v1 image below it, if any. */
  parent?: string;
}

/**
 * Gives each layer its v1 image. The lowest one's ID is its layer's digest; those
 * of the others depend on their parent too, since the same layer on another
 * parent is another image.
 *
 * @param digests SHA-256 of the layers in hex, lowest first.
 * @returns The chain of v1 images, lowest first.
 */
export function v1Chain(digests: readonly string[]): V1Link[] {
  const chain: V1Link[] = [];
  for (const digest of digests) {
    const parent = chain.at(-1)?.id;
    chain.push(
      parent === undefined
        ? { id: digest, digest }
        : { id: textDigest(`${parent} ${digest}`), digest, parent },
    );
  }
  return chain;
}

/**
 * Makes the file `repositories`, which gives v1 images their names.
 *
 * @param image The image.
 * @param id ID of the topmost v1 image: the digest of its layer.
 * @returns Names to tags to IDs.
 * @throws {DescriptionError} If a name is malformed.
 */
export function repositories(
  image: Image,
  id: string,
): Record<string, Record<string, string>> {
  const tags = new Map<string, [string, string][]>();
  for (const { repository, tag } of parseNames(image.names)) {
    tags.set(repository, [...tags.get(repository) ?? [], [tag, id]]);
  }
  return sortedRecord(
    [...tags].map(([name, entries]) => [name, sortedRecord(entries)]),
  );
}

/**
 * Lists the fields that an image sets and a Docker v1 archive cannot express.
 *
 * @param image The image.
 * @returns Names of fields.
 */
export function unsupportedByDockerV1(image: Image): (keyof Image)[] {
  return givenFields(image, ["annotations"]);
}
