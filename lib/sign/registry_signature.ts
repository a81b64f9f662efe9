import { InputError } from "../errors/input_error.ts";
import { counted } from "../errors/counted.ts";
import { shownWord } from "../errors/shown.ts";
import { jsonText, parseJson } from "../formats/json_text.ts";
import {
  integer,
  list,
  object,
  optional,
  Place,
  record,
  text,
} from "../read/shape.ts";
import type { RegistryClient } from "../registry/client.ts";
import { downloadBlob } from "../registry/download.ts";
import { findManifest } from "../registry/manifest.ts";
import type { Reference } from "../registry/reference.ts";
import {
  type ArtifactBlob,
  type Descriptor,
  pushArtifact,
  pushReferrer,
  referrersOf,
} from "../registry/referrers.ts";
import { concat, utf8 } from "../streams/bytes.ts";
import { bytesDigest } from "../streams/sha256.ts";
import { fromBase64 } from "./base64.ts";
import { isSigned } from "./check_signature.ts";
import { isSignature, type PrivateKey, type PublicKey } from "./key_pair.ts";
import {
  BUNDLE_TYPE,
  type CosignSignature,
  cosignSignature,
  keyName,
  SIGN_TYPE,
  signStatement,
} from "./sign_image.ts";

/** The media type of what cosign signs. */
const SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json";
const ARTIFACT = "application/vnd.dev.cosign.artifact.sig.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
/** The annotation that has a signature. */
const SIGNATURE = "dev.cosignproject.cosign/signature";
/** What the media types of sigstore bundles of all versions start with. */
const BUNDLES = "application/vnd.dev.sigstore.bundle";
/** Signatures of one image that are read at most. */
const MAX_SIGNATURES = 200;
/** Bytes of one of them at most. */
const MAX_SIZE = 1 << 22;

/**
 * Signs an image in a registry: as `cosign sign` of any version keeps it, under
 * the tag `sha256-HEX.sig` and as an artifact that belongs to the image.
 *
 * @param client The registry.
 * @param reference Where the image is.
 * @param image Its manifest or image index.
 * @param key The key.
 * @throws {InputError} If the registry refuses.
 */
export async function signInRegistry(
  client: RegistryClient,
  { registry, repository }: Reference,
  image: Descriptor,
  key: PrivateKey,
): Promise<void> {
  const name = `${registry}/${repository}`;
  const { digest } = image;
  const signature = await cosignSignature(name, digest, key);
  const subject = { name, digest: { sha256: digest.replace("sha256:", "") } };
  const bundle = await signStatement([subject], {}, key);
  await pushSignature(client, repository, image, { signature, bundle });
}

/** A signature of an image, in both forms that registries keep. */
export interface RegistrySignature {
  signature: CosignSignature;
  /** A sigstore bundle, JSON. */
  bundle: string;
}

/**
 * Pushes a signature beside its image.
 *
 * @param client The registry.
 * @param repository The image's repository.
 * @param image Its manifest or image index.
 * @param made The signature.
 * @throws {InputError} If the registry refuses.
 */
export async function pushSignature(
  client: RegistryClient,
  repository: string,
  image: Descriptor,
  { signature, bundle }: RegistrySignature,
): Promise<void> {
  const { digest } = image;
  const others = await signaturesAt(client, repository, digest);
  const blobs: ArtifactBlob[] = [...others, {
    mediaType: SIMPLE_SIGNING,
    bytes: fromBase64("The payload", signature.payload),
    annotations: { [SIGNATURE]: signature.signature },
  }];
  await pushArtifact(client, { repository, tag: tagOf(digest) }, {
    artifactType: ARTIFACT,
    config: { mediaType: CONFIG, bytes: configOf(blobs) },
    blobs,
  });
  await pushReferrer(client, repository, image, {
    artifactType: BUNDLE_TYPE,
    blobs: [{ mediaType: BUNDLE_TYPE, bytes: utf8(bundle) }],
    annotations: {
      "dev.sigstore.bundle.content": "dsse-envelope",
      "dev.sigstore.bundle.predicateType": SIGN_TYPE,
    },
  });
}

/**
 * Checks that a key has signed an image in a registry.
 *
 * @param client The registry.
 * @param repository The image's repository.
 * @param image The digest of its manifest or image index.
 * @param key The signer's key.
 * @throws {InputError} If the key has not signed it.
 */
export async function checkInRegistry(
  client: RegistryClient,
  repository: string,
  image: string,
  key: PublicKey,
): Promise<void> {
  const simple = await signaturesAt(client, repository, image);
  if (simple.some((one) => isSimpleSigned(one, key, image))) return;
  let count = simple.length;
  // Lists do not always say what is a bundle: cosign 3 writes another type there.
  const referrers = await referrersOf(client, repository, image);
  for (const { digest } of referrers.slice(0, MAX_SIGNATURES)) {
    const [bundle] = await blobsOf(client, repository, { digest }, BUNDLES);
    if (!bundle) continue;
    count++;
    try {
      if (isSigned(bundle.bytes, key, image)) return;
    } catch (error) {
      // Somebody else's, of another form.
      if (!(error instanceof InputError)) throw error;
    }
  }
  throw new InputError(
    count === 0
      ? `It is not signed: ${client.host} has no signature of ${image}`
      : `The key ${keyName(key.id)} has not signed ${image}: ${client.host} ` +
        `has ${counted(count, "signature")} of it, by others or damaged`,
  );
}

/** Whether what cosign signed is this image, and the signature is the key's. */
function isSimpleSigned(
  { bytes, annotations }: ArtifactBlob,
  key: PublicKey,
  digest: string,
): boolean {
  try {
    const signature = fromBase64("It", annotations?.[SIGNATURE] ?? "");
    if (!isSignature(key, bytesDigest(bytes), signature)) return false;
    const name = "The signed document";
    const json = parseJson(name, new TextDecoder().decode(bytes));
    const { critical } = SIGNED(json, new Place(name));
    return critical.image["docker-manifest-digest"] === digest;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

const SIGNED = object({
  critical: object({ image: object({ "docker-manifest-digest": text }) }),
});

const MANIFEST = object({
  layers: optional(list(object({
    mediaType: text,
    digest: text,
    size: integer,
    annotations: optional(record(text)),
  }))),
});

/** The tag that has an image's signatures. */
function tagOf(digest: string): string {
  return `${digest.replace(":", "-")}.sig`;
}

/** The signatures that an image has under its tag. */
async function signaturesAt(
  client: RegistryClient,
  repository: string,
  digest: string,
): Promise<ArtifactBlob[]> {
  const tag = tagOf(digest);
  return await blobsOf(client, repository, { tag }, SIMPLE_SIGNING);
}

/** The blobs of a type that a small artifact has; none if it is not there. */
async function blobsOf(
  client: RegistryClient,
  repository: string,
  where: { tag: string } | { digest: string },
  mediaType: string,
): Promise<ArtifactBlob[]> {
  const reference = { registry: client.host, repository, ...where };
  const found = await findManifest(client, reference);
  if (!found) return [];
  const name = `The manifest ${shownWord(Object.values(where)[0])}`;
  const json = parseJson(name, new TextDecoder().decode(found.bytes));
  const { layers = [] } = MANIFEST(json, new Place(name));
  const blobs: ArtifactBlob[] = [];
  for (const { annotations, ...layer } of layers.slice(0, MAX_SIGNATURES)) {
    const isWanted = layer.mediaType.startsWith(mediaType);
    if (!isWanted || layer.size > MAX_SIZE) continue;
    const parts: Uint8Array[] = [];
    for await (const part of downloadBlob(client, repository, layer)) {
      parts.push(part);
    }
    blobs.push({
      mediaType: layer.mediaType,
      bytes: concat(parts),
      ...(annotations && { annotations: Object.fromEntries(annotations) }),
    });
  }
  return blobs;
}

/** The config that cosign gives signatures: an image of these layers. */
function configOf(blobs: readonly ArtifactBlob[]): Uint8Array {
  return utf8(jsonText({
    architecture: "",
    created: "0001-01-01T00:00:00Z",
    os: "",
    config: {},
    rootfs: {
      type: "layers",
      diff_ids: blobs.map(({ bytes }) => `sha256:${bytesDigest(bytes)}`),
    },
  }));
}
