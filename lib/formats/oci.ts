import type { Image } from "../image/image.ts";
import { parseNames } from "../image/name.ts";
import { type Layer, storedBlob } from "../image/layer.ts";
import { sortedRecord } from "./sorted_record.ts";

/** What a descriptor needs to know about a blob. */
export interface Blob {
  /** SHA-256 of the blob, 64 lower-case hex digits. */
  digest: string;
  /** Size of the blob in bytes. */
  size: number;
}

/** An OCI descriptor: which blob, of what kind. */
export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
  platform?: { architecture: string; os: string; variant?: string };
}

/** An OCI image manifest: the config and the layers of one image. */
export interface ImageManifest {
  schemaVersion: 2;
  mediaType: string;
  config: Descriptor;
  layers: Descriptor[];
  annotations?: Record<string, string>;
}

/** An OCI image index: the file `index.json` of an image layout. */
export interface ImageIndex {
  schemaVersion: 2;
  mediaType: string;
  manifests: Descriptor[];
  annotations?: Record<string, string>;
}

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

/**
 * Makes the file `oci-layout`, which marks a tree as an OCI image layout.
 *
 * @returns The document.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md#oci-layout-file}
 */
export function ociLayout(): { imageLayoutVersion: string } {
  return { imageLayoutVersion: "1.0.0" };
}

/**
 * Makes the OCI image manifest, which ties the image config to its layers.
 *
 * @param image The image; its annotations go into the manifest.
 * @param layers The layers, lowest first.
 * @param config Digest and size of the image config's text.
 * @returns The document.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md}
 */
export function imageManifest(
  image: Image,
  layers: Layer[],
  config: Blob,
): ImageManifest {
  const annotations = Object.entries(image.annotations ?? {});
  return {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: descriptor("application/vnd.oci.image.config.v1+json", config),
    layers: layers.map((layer) => {
      const { compression, ...blob } = storedBlob(layer);
      const suffix = compression ? `+${compression}` : "";
      return descriptor(
        `application/vnd.oci.image.layer.v1.tar${suffix}`,
        blob,
      );
    }),
    ...(annotations.length && { annotations: sortedRecord(annotations) }),
  };
}

/**
 * Makes `index.json`, where OCI engines look up names. Every name of the image
 * gets a descriptor of its own for the same manifest. containerd takes the full
 * name from `io.containerd.image.name`; podman, skopeo and umoci select by the
 * tag in `org.opencontainers.image.ref.name`.
 *
 * umoci refuses a tag that two descriptors carry, so of several names with the
 * same tag only the first one's descriptor carries it.
 *
 * @param image The image; its annotations go into each descriptor, but cannot
 * replace the two above.
 * @param manifest Digest and size of the image manifest's text.
 * @returns The document.
 * @throws {DescriptionError} If a name is malformed.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md}
 */
export function imageIndex(image: Image, manifest: Blob): ImageIndex {
  return namesIndex(image.names, image.annotations, {
    ...descriptor(MANIFEST_TYPE, manifest),
    platform: platformOf(image),
  });
}

/**
 * Makes `index.json` where the names are for the images of several platforms:
 * every name gets a descriptor of its own for the same inner index, which
 * {@linkcode platformIndex} makes. Engines choose in there; of manifests of one
 * name side by side in `index.json` containerd keeps the last one alone.
 *
 * @param images The images; their names are those of the first one.
 * @param index Digest and size of the inner index's text.
 * @returns The document.
 * @throws {DescriptionError} If a name is malformed.
 */
export function outerIndex(images: readonly Image[], index: Blob): ImageIndex {
  return namesIndex(
    images[0]!.names,
    commonAnnotations(images),
    descriptor(INDEX_TYPE, index),
  );
}

/**
 * Makes the image index of an image for several platforms.
 *
 * @param images The image of each platform, with digest and size of its
 * manifest's text. What annotations they share are the index's too.
 * @returns The document.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md}
 */
export function platformIndex(
  images: readonly { image: Image; manifest: Blob }[],
): ImageIndex {
  const common = commonAnnotations(images.map(({ image }) => image));
  const annotations = Object.entries(common);
  return {
    schemaVersion: 2,
    mediaType: INDEX_TYPE,
    manifests: images.map(({ image, manifest }) => ({
      ...descriptor(MANIFEST_TYPE, manifest),
      platform: platformOf(image),
    })),
    ...(annotations.length && { annotations: sortedRecord(annotations) }),
  };
}

function namesIndex(
  names: string[],
  annotations: Record<string, string> | undefined,
  named: Descriptor,
): ImageIndex {
  const { platform, ...blob } = named;
  const tags = new Set<string>();
  return {
    schemaVersion: 2,
    mediaType: INDEX_TYPE,
    manifests: parseNames(names).map(({ qualified, tag }) => {
      const first = !tags.has(tag);
      tags.add(tag);
      const own = new Map(Object.entries(annotations ?? {}));
      own.delete("org.opencontainers.image.ref.name");
      own.set("io.containerd.image.name", qualified);
      if (first) own.set("org.opencontainers.image.ref.name", tag);
      return {
        ...blob,
        annotations: sortedRecord(own),
        ...(platform && { platform }),
      };
    }),
  };
}

/** The annotations that all images have alike. */
function commonAnnotations(images: readonly Image[]): Record<string, string> {
  const [first, ...others] = images.map(({ annotations }) =>
    new Map(Object.entries(annotations ?? {}))
  );
  return Object.fromEntries(
    [...first ?? []].filter(([key, value]) =>
      others.every((annotations) => annotations.get(key) === value)
    ),
  );
}

function platformOf(image: Image): NonNullable<Descriptor["platform"]> {
  return {
    architecture: image.architecture,
    os: image.os ?? "linux",
    ...(image.variant && { variant: image.variant }),
  };
}

/**
 * Lists the fields that an image sets and the OCI documents cannot express.
 *
 * @param _image The image.
 * @returns Nothing: `healthcheck` and `shell` are in the image config in
 * Docker's spelling, everything else in OCI's own.
 */
export function unsupportedByOci(_image: Image): (keyof Image)[] {
  return [];
}

function descriptor(mediaType: string, { digest, size }: Blob): Descriptor {
  return { mediaType, digest: `sha256:${digest}`, size };
}
