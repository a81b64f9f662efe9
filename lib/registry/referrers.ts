import { InputError } from "../errors/input_error.ts";
import { jsonText, parseJson } from "../formats/json_text.ts";
import {
  anyObject,
  integer,
  list,
  object,
  optional,
  Place,
  type Shape,
  text,
} from "../read/shape.ts";
import { utf8 } from "../streams/bytes.ts";
import { discard, readBody } from "./body.ts";
import type { RegistryClient } from "./client.ts";
import { pullScope } from "./download.ts";
import {
  digestOfBytes,
  findManifest,
  MAX_MANIFEST,
  MEDIA,
  putManifest,
  type StoredManifest,
} from "./manifest.ts";
import { memoryBlob } from "./push_image.ts";
import type { Reference } from "./reference.ts";
import { uploadBlob } from "./upload.ts";
import type { UploadOptions } from "./upload_place.ts";

/** What a document says of a blob: OCI image-spec v1.1, "Content Descriptors". */
export interface Descriptor {
  mediaType: string;
  /** Such as `sha256:…`. */
  digest: string;
  /** In bytes. */
  size: number;
  artifactType?: string;
  annotations?: Record<string, string>;
}

/** A blob of an artifact. */
export interface ArtifactBlob {
  mediaType: string;
  bytes: Uint8Array;
  annotations?: Record<string, string>;
}

/** Something beside an image: a signature, a bill of materials. */
export interface Artifact {
  /** Its media type, such as `application/spdx+json`. */
  artifactType: string;
  blobs: readonly ArtifactBlob[];
  /** Its config; the empty one of OCI unless given. */
  config?: ArtifactBlob;
  annotations?: Record<string, string>;
  /** The image that it belongs to. */
  subject?: Descriptor;
}

/** OCI image-spec v1.1, "Guidance for an Empty Descriptor". */
const EMPTY: ArtifactBlob = {
  mediaType: "application/vnd.oci.empty.v1+json",
  bytes: utf8("{}"),
};
/** Pages of referrers that are read at most. */
const MAX_PAGES = 100;

/**
 * Pushes an artifact: its blobs and a manifest.
 *
 * OCI image-spec v1.1, "Guidelines for Artifact Usage".
 *
 * @param client The registry.
 * @param reference Where it goes; without a tag it goes under its digest.
 * @param artifact What it is.
 * @param options How blobs are uploaded.
 * @returns The descriptor of its manifest, as lists of referrers have it.
 * @throws {InputError} If the registry refuses.
 */
export async function pushArtifact(
  client: RegistryClient,
  { repository, tag }: Pick<Reference, "repository" | "tag">,
  artifact: Artifact,
  options: UploadOptions = {},
): Promise<Descriptor> {
  const { artifactType, annotations, subject } = artifact;
  await uploadParts(client, repository, artifact, options);
  const manifest = manifestOf(artifact);
  const answer = await putManifest(client, repository, manifest, tag);
  const descriptor: Descriptor = {
    mediaType: MEDIA.manifest,
    digest: manifest.digest,
    size: manifest.bytes.length,
    artifactType,
    ...(annotations && { annotations }),
  };
  // A registry that keeps the list says so.
  if (subject && answer.subject === undefined) {
    await addToFallback(client, repository, subject.digest, descriptor);
  }
  return descriptor;
}

/**
 * Pushes an artifact that belongs to an image: a signature, a bill of materials.
 * Where the registry has no list of referrers, the tag `sha256-HEX` gets one.
 *
 * OCI distribution-spec v1.1, "Pushing Manifests with Subject".
 *
 * @param client The registry.
 * @param repository The image's repository.
 * @param subject The image's manifest or image index.
 * @param artifact What belongs to it.
 * @param options How blobs are uploaded.
 * @returns The descriptor of its manifest.
 * @throws {InputError} If the registry refuses.
 */
export async function pushReferrer(
  client: RegistryClient,
  repository: string,
  subject: Descriptor,
  artifact: Artifact,
  options: UploadOptions = {},
): Promise<Descriptor> {
  const { mediaType, digest, size } = subject;
  return await pushArtifact(client, { repository }, {
    ...artifact,
    subject: { mediaType, digest, size },
  }, options);
}

/**
 * Lists what belongs to an image.
 *
 * OCI distribution-spec v1.1, "Listing Referrers".
 *
 * @param client The registry.
 * @param repository The image's repository.
 * @param digest The image's digest.
 * @param artifactType Lists only artifacts of this type.
 * @returns Descriptors of manifests, in the registry's order.
 * @throws {InputError} If the list is malformed or does not end.
 */
export async function referrersOf(
  client: RegistryClient,
  repository: string,
  digest: string,
  artifactType?: string,
): Promise<Descriptor[]> {
  const all = await fromRegistry(client, repository, digest) ??
    await fromFallback(client, repository, digest);
  return all.filter((one) =>
    artifactType === undefined || one.artifactType === artifactType
  );
}

/** Config and blobs of an artifact, as its manifest lists them. */
function partsOf({ config = EMPTY, blobs }: Artifact) {
  return { config, layers: blobs.length > 0 ? blobs : [EMPTY] };
}

async function uploadParts(
  client: RegistryClient,
  repository: string,
  artifact: Artifact,
  options: UploadOptions,
): Promise<void> {
  const { config, layers } = partsOf(artifact);
  const blobs = [config, ...layers].map(({ bytes }) => memoryBlob(bytes));
  const once = new Map(blobs.map((blob) => [blob.digest, blob]));
  for (const blob of once.values()) {
    await uploadBlob(client, repository, blob, options);
  }
}

function manifestOf(artifact: Artifact): StoredManifest {
  const { artifactType, annotations, subject } = artifact;
  const { config, layers } = partsOf(artifact);
  const bytes = utf8(jsonText({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    artifactType,
    config: descriptorOf(config),
    layers: layers.map(descriptorOf),
    ...(subject && { subject }),
    ...(annotations && { annotations }),
  }));
  return { mediaType: MEDIA.manifest, digest: digestOfBytes(bytes), bytes };
}

function descriptorOf(
  { mediaType, bytes, annotations }: ArtifactBlob,
): Descriptor {
  return {
    mediaType,
    digest: digestOfBytes(bytes),
    size: bytes.length,
    ...(annotations && { annotations }),
  };
}

/** The tag that lists referrers where the registry does not. */
function fallbackTag(digest: string): string {
  return digest.replace(":", "-");
}

async function addToFallback(
  client: RegistryClient,
  repository: string,
  digest: string,
  descriptor: Descriptor,
): Promise<void> {
  const before = await fromFallback(client, repository, digest);
  if (before.some((one) => one.digest === descriptor.digest)) return;
  const bytes = utf8(jsonText({
    schemaVersion: 2,
    mediaType: MEDIA.index,
    manifests: [...before, descriptor],
  }));
  await putManifest(client, repository, {
    mediaType: MEDIA.index,
    digest: digestOfBytes(bytes),
    bytes,
  }, fallbackTag(digest));
}

async function fromFallback(
  client: RegistryClient,
  repository: string,
  digest: string,
): Promise<Descriptor[]> {
  const tag = fallbackTag(digest);
  const reference = { registry: client.host, repository, tag };
  const found = await findManifest(client, reference);
  if (!found) return [];
  return readReferrers(found.bytes, `The index ${repository}:${tag}`);
}

/** What the registry lists; `undefined` if it has no such lists. */
async function fromRegistry(
  client: RegistryClient,
  repository: string,
  digest: string,
): Promise<Descriptor[] | undefined> {
  const all: Descriptor[] = [];
  let path: string | undefined = `/v2/${repository}/referrers/${digest}`;
  for (let page = 0; path !== undefined; page++) {
    if (page === MAX_PAGES) {
      throw new InputError(`${client.host} lists referrers without end`);
    }
    const response: Response = await client.send({
      method: "GET",
      path,
      scope: pullScope(repository),
      expect: [200, 400, 404, 405],
      headers: { accept: MEDIA.index },
    });
    if (response.status !== 200) {
      await discard(response);
      return undefined;
    }
    const what = `The referrers of ${digest} at ${client.host}`;
    const bytes = await readBody(response, MAX_MANIFEST, what);
    all.push(...readReferrers(bytes, what));
    path = await client.nextPage(response, path);
  }
  return all;
}

const DESCRIPTOR = object({
  mediaType: text,
  digest: text,
  size: integer,
  artifactType: optional(text),
  annotations: optional(anyObject),
});

const descriptor: Shape<Descriptor> = (value, place) => {
  const { artifactType, annotations, ...rest } = DESCRIPTOR(value, place);
  return {
    ...rest,
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations && {
      annotations: Object.fromEntries(
        Object.entries(annotations).filter(
          (entry): entry is [string, string] => typeof entry[1] === "string",
        ),
      ),
    }),
  };
};

const INDEX = object({ manifests: optional(list(descriptor)) });

function readReferrers(bytes: Uint8Array, what: string): Descriptor[] {
  const document = parseJson(what, new TextDecoder().decode(bytes));
  return INDEX(document, new Place(what)).manifests ?? [];
}
