import { InputError } from "../errors/input_error.ts";
import { goArchitecture } from "../formats/values/platform.ts";
import { parseJson } from "../formats/json_text.ts";
import { hexOf } from "./read_config.ts";
import {
  anyObject,
  anything,
  list,
  object,
  optional,
  Place,
  type Shape,
  text,
} from "./shape.ts";

/** The platform of an image, in Go's words. */
export interface Platform {
  /** Operating system in Go's spelling, such as `linux`. */
  os?: string | undefined;
  /** Architecture in Go's spelling, such as `arm64`. */
  architecture?: string | undefined;
  /** Variant of the architecture, such as `v7`. */
  variant?: string | undefined;
}

/** What an index or a manifest says of a blob. */
export interface BlobDescriptor {
  /** SHA-256 of the blob in hex. */
  digest: string;
  mediaType?: string;
  /** What it is, if it is no image. */
  artifactType?: string;
  platform: Platform;
  annotations: Map<string, string>;
}

/** An OCI image manifest. */
export interface OciManifest {
  config: BlobDescriptor;
  /** The layers, lowest first. */
  layers: BlobDescriptor[];
  annotations: Map<string, string>;
  /** What it is, if it is no image. */
  artifactType?: string;
  /** What it belongs to, such as the image that it signs. */
  subject?: BlobDescriptor;
}

/** Strings by key; other values are passed over, as most engines do. */
const strings: Shape<Map<string, string>> = (value, place) =>
  new Map(
    Object.entries(optional(anyObject)(value, place) ?? {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );

const PLATFORM = object({
  os: optional(text),
  architecture: optional(text),
  variant: optional(text),
});

const FIELDS = object({
  digest: text,
  mediaType: optional(text),
  artifactType: optional(text),
  platform: optional(PLATFORM),
  annotations: strings,
});

const descriptor: Shape<BlobDescriptor> = (value, place) => {
  const { digest, mediaType, artifactType, platform, annotations } = FIELDS(
    value,
    place,
  );
  return {
    digest: hexOf(digest, place.at("digest")),
    ...(mediaType && { mediaType }),
    ...(artifactType && { artifactType }),
    platform: goPlatformOf(platform ?? {}),
    annotations,
  };
};

const INDEX = object({ manifests: optional(list(descriptor)) });

/** Of OCI before 1.1, which had manifests without a config. */
const ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json";

const MANIFEST = object({
  mediaType: optional(anything),
  manifests: optional(list(descriptor)),
  config: optional(descriptor),
  layers: optional(list(descriptor)),
  annotations: strings,
  artifactType: optional(text),
  subject: optional(descriptor),
});

/** A platform with the names that engines know. */
function goPlatformOf(
  { os, architecture, variant }: {
    os?: string | undefined;
    architecture?: string | undefined;
    variant?: string | undefined;
  },
): Platform {
  return {
    ...(os && { os: os.toLowerCase() }),
    ...(architecture && goArchitecture(architecture, variant)),
  };
}

/**
 * Reads `index.json`: the inverse of {@linkcode imageIndex}.
 *
 * @param source JSON.
 * @param name What messages call the document.
 * @returns What it lists.
 * @throws {InputError} If it has another shape.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md}
 */
export function readOciIndex(
  source: string,
  name = "index.json",
): BlobDescriptor[] {
  return INDEX(parseJson(name, source), new Place(name)).manifests ?? [];
}

/**
 * Reads an image manifest, or an image index inside another one: the inverse of
 * {@linkcode imageManifest}.
 *
 * @param source JSON.
 * @param name What messages call the document.
 * @returns The manifest, or what an index lists.
 * @throws {InputError} If it has another shape.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md}
 */
export function readOciManifest(
  source: string,
  name: string,
): OciManifest | BlobDescriptor[] {
  const place = new Place(name);
  const found = MANIFEST(parseJson(name, source), place);
  const {
    manifests,
    config,
    layers,
    annotations,
    mediaType,
    artifactType,
    subject,
  } = found;
  if (manifests) return manifests;
  if (mediaType === ARTIFACT) {
    throw new InputError(`It is no container image: it is an ${ARTIFACT}`);
  }
  if (!config) throw place.at("config").wrong(undefined, "an object");
  return {
    config,
    layers: layers ?? [],
    annotations,
    ...(artifactType && { artifactType }),
    ...(subject && { subject }),
  };
}

/** What OCI calls the name of an image in an index: often its tag alone. */
export const REF_NAME = "org.opencontainers.image.ref.name";

/** What containerd calls the whole name of an image in an index. */
const IMAGE_NAME = "io.containerd.image.name";

/**
 * The whole name that an index gives an image.
 *
 * @returns `undefined` if there is none: a bare tag names nothing.
 */
export function nameIn(
  { annotations }: Pick<BlobDescriptor, "annotations">,
): string | undefined {
  const name = annotations.get(IMAGE_NAME) ?? annotations.get(REF_NAME);
  return name?.includes("/") || name?.includes(":") ? name : undefined;
}

/**
 * Whether a descriptor of an index is an image: BuildKit's attestations are not,
 * nor are signatures and other artifacts.
 */
export function isImage(
  { platform, annotations, artifactType = "" }: BlobDescriptor,
): boolean {
  return !(platform.os === "unknown" && platform.architecture === "unknown") &&
    !annotations.has("vnd.docker.reference.digest") &&
    (artifactType === "" || isImageConfig(artifactType));
}

/** Whether a media type is that of an image config, Docker's or OCI's. */
export function isImageConfig(mediaType: string): boolean {
  return /image\.(config\.)?v1\+json$/.test(mediaType);
}

/** Where an image layout has a blob, by its SHA-256 in hex. */
export function blobPath(digest: string): string {
  return `blobs/sha256/${digest}`;
}
