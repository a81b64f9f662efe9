import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { parseJson } from "../formats/json_text.ts";
import { bytesDigest } from "../streams/sha256.ts";
import { discard, readBody } from "./body.ts";
import type { RegistryClient } from "./client.ts";
import { pullScope } from "./download.ts";
import { DIGEST, formatReference, type Reference } from "./reference.ts";
import { pushScope } from "./upload_place.ts";

/** OCI and Docker media types of what a tag can name. */
export const MEDIA = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
} as const;

const ACCEPTED: readonly string[] = [
  MEDIA.manifest,
  MEDIA.index,
  MEDIA.dockerManifest,
  MEDIA.dockerIndex,
];

/** Bytes that a manifest may have: OCI's registries must take 4 MiB. */
export const MAX_MANIFEST = 1 << 22;

/** A manifest or an image index as a registry holds it. */
export interface StoredManifest {
  mediaType: string;
  /** Such as `sha256:…`. */
  digest: string;
  bytes: Uint8Array;
}

/**
 * Gets a manifest or an image index and checks its digest.
 *
 * OCI distribution-spec v1.1, "Pulling manifests".
 *
 * @param client The registry.
 * @param reference What is wanted; a digest goes before a tag.
 * @throws {InputError} If it is not there, is damaged or too large.
 */
export async function getManifest(
  client: RegistryClient,
  reference: Reference,
): Promise<StoredManifest> {
  const found = await findManifest(client, reference);
  if (found) return found;
  throw new InputError(
    `${
      formatReference(reference)
    } is not there: are its name and its tag right?`,
  );
}

/** As {@linkcode getManifest}; gives `undefined` if it is not there. */
export async function findManifest(
  client: RegistryClient,
  reference: Reference,
): Promise<StoredManifest | undefined> {
  const { repository, tag, digest } = reference;
  const name = formatReference(reference);
  return await client.retrying(async () => {
    const response = await client.send({
      method: "GET",
      path: `/v2/${repository}/manifests/${digest ?? tag}`,
      scope: pullScope(repository),
      expect: [200, 404],
      headers: { accept: ACCEPTED.join(", ") },
      tries: 1,
    });
    if (response.status === 404) {
      await discard(response);
      return undefined;
    }
    const what = `The manifest of ${name}`;
    const bytes = await readBody(response, MAX_MANIFEST, what);
    const found = digestOfBytes(bytes);
    // Of a tag the registry itself says which digest it means.
    const wanted = digest ?? response.headers.get("docker-content-digest");
    if (wanted !== null && DIGEST.test(wanted) && wanted !== found) {
      throw new InputError(
        `${what} is damaged, its digest is ${found}: push the image anew`,
      );
    }
    return { mediaType: mediaTypeOf(response, bytes), digest: found, bytes };
  });
}

/**
 * Gives a repository a manifest under a tag, or under its digest alone.
 *
 * OCI distribution-spec v1.1, "Pushing manifests".
 *
 * @param client The registry.
 * @param repository The repository there.
 * @param manifest What it gets.
 * @param tag Its name there; its digest unless given.
 * @returns The digest that the registry now lists it for, if it names one.
 * @throws {InputError} If the registry refuses it, or has another digest then.
 */
export async function putManifest(
  client: RegistryClient,
  repository: string,
  manifest: StoredManifest,
  tag: string = manifest.digest,
): Promise<{ subject?: string }> {
  const response = await client.send({
    method: "PUT",
    path: `/v2/${repository}/manifests/${tag}`,
    scope: pushScope(repository),
    expect: [201],
    headers: { "content-type": manifest.mediaType },
    body: manifest.bytes.slice(),
  });
  await discard(response);
  const kept = response.headers.get("docker-content-digest");
  if (kept !== null && kept !== manifest.digest) {
    throw new InputError(
      `${client.host} keeps the manifest as ${
        shown(kept)
      }, not as ${manifest.digest}: is there a proxy before it that changes it?`,
    );
  }
  const subject = response.headers.get("oci-subject");
  return subject === null ? {} : { subject };
}

/** The digest of a whole document, such as `sha256:…`. */
export function digestOfBytes(bytes: Uint8Array): string {
  return `sha256:${bytesDigest(bytes)}`;
}

/** What a document is: it says so itself, or its registry does. */
function mediaTypeOf(response: Response, bytes: Uint8Array): string {
  const said = response.headers.get("content-type")?.replace(/;.*/s, "").trim();
  if (said && ACCEPTED.includes(said)) return said;
  const text = new TextDecoder().decode(bytes);
  if (said === "text/html") {
    throw new InputError(
      "The registry answers with a web page instead of a manifest: is it a " +
        "registry, and is the reference right?",
    );
  }
  const { mediaType, manifests, schemaVersion } = Object(
    parseJson("The manifest", text),
  );
  if (schemaVersion === 1) {
    throw new InputError(
      "It is an image of Docker's old schema 1: pull it with an old engine and " +
        "push it with a newer one",
    );
  }
  if (typeof mediaType === "string") return mediaType;
  return Array.isArray(manifests) ? MEDIA.index : MEDIA.manifest;
}
