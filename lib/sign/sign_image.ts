import { jsonText } from "../formats/json_text.ts";
import { utf8 } from "../streams/bytes.ts";
import { toBase64 } from "./base64.ts";
import { preAuthEncoding, STATEMENT_TYPE } from "./dsse.ts";
import type { ImageClaims } from "./image_claims.ts";
import { type PrivateKey, signBytes } from "./key_pair.ts";
import { simpleSigning } from "./simple_signing.ts";

/** The media type of a sigstore bundle. */
export const BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";
/** The type of what cosign says of an image that it signs. */
export const SIGN_TYPE = "https://sigstore.dev/cosign/sign/v1";
const STATEMENT = "https://in-toto.io/Statement/v1";

/** What is signed: something with a digest. */
export interface Subject {
  name: string;
  digest: { sha256: string };
}

/** The file that is signed. */
export interface SignedFile {
  /** Its name, without directories. */
  name: string;
  /** SHA-256 of its bytes in hex. */
  digest: string;
}

/**
 * Signs an image file: one signature over the digests of the file and of all
 * that engines see of it.
 *
 * @param file The file.
 * @param claims What is in it.
 * @param key The key.
 * @returns A sigstore bundle, JSON: a statement of in-toto in an envelope.
 */
export async function signImage(
  file: SignedFile,
  claims: ImageClaims,
  key: PrivateKey,
): Promise<string> {
  const images = await Promise.all(
    claims.images.map(async ({ manifest, names, ...image }) => ({
      names,
      ...(manifest && { manifest }),
      ...image,
      ...(manifest && {
        cosign: await cosignSignature(repositoryOf(names[0]), manifest, key),
      }),
    })),
  );
  const manifests = new Map(
    claims.images.filter(({ manifest }) => manifest)
      .map(({ manifest, names }) => [manifest!, names[0]]),
  );
  const subjects: Subject[] = [
    { name: file.name, digest: { sha256: file.digest } },
    ...[...manifests].map(([digest, name]) => ({
      name: name ?? digest,
      digest: { sha256: digest.replace("sha256:", "") },
    })),
  ];
  return await signStatement(subjects, {
    isoc: { ...claims, file: `sha256:${file.digest}`, images },
  }, key);
}

/**
 * Signs a statement about subjects as `cosign sign` does.
 *
 * @returns A sigstore bundle, JSON.
 */
export async function signStatement(
  subject: Subject[],
  predicate: object,
  key: PrivateKey,
): Promise<string> {
  const payload = utf8(jsonText({
    _type: STATEMENT,
    subject,
    predicateType: SIGN_TYPE,
    predicate,
  }));
  const bytes = preAuthEncoding(STATEMENT_TYPE, payload);
  return jsonText({
    mediaType: BUNDLE_TYPE,
    verificationMaterial: { publicKey: { hint: key.publicKey.id } },
    dsseEnvelope: {
      payload: toBase64(payload),
      payloadType: STATEMENT_TYPE,
      signatures: [{ sig: toBase64(await signBytes(key, bytes)) }],
    },
  });
}

/** A signature of an image as cosign keeps it in a registry. */
export interface CosignSignature {
  /** What is signed and its signature, both in base64. */
  payload: string;
  signature: string;
}

/**
 * Signs an image for `cosign verify`.
 *
 * @param reference The image's name, without a tag.
 * @param digest The digest of its manifest.
 */
export async function cosignSignature(
  reference: string,
  digest: string,
  key: PrivateKey,
): Promise<CosignSignature> {
  const payload = simpleSigning(reference, digest);
  return {
    payload: toBase64(payload),
    signature: toBase64(await signBytes(key, payload)),
  };
}

/** A name without its tag. */
function repositoryOf(name = ""): string {
  return name.replace(/:[^:/]*$/, "");
}

/** A key's name for people: the SHA-256 of its public half, in base64. */
export function keyName(id: string): string {
  return `SHA256:${id.replace(/=+$/, "")}`;
}
