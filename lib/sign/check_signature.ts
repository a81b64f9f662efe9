import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { parseJson } from "../formats/json_text.ts";
import {
  anyObject,
  list,
  object,
  optional,
  Place,
  record,
  text,
} from "../read/shape.ts";
import type { ImageClaims } from "./image_claims.ts";
import { isSignature, type PublicKey } from "./key_pair.ts";
import { readSignature, type SignatureFile } from "./read_signature.ts";
import { type CosignSignature, keyName, SIGN_TYPE } from "./sign_image.ts";

/** A signature that fits a file. */
export interface CheckedSignature {
  /** The key's name, such as `SHA256:…`. */
  key: string;
  /**
   * What else it says of the file, where `ciso sign` made it: claims of the
   * signer's, which have not been compared with the file.
   */
  claims?: SignedClaims;
}

/** What `ciso sign` wrote of an image file. */
export type SignedClaims = ImageClaims & {
  images: { cosign?: CosignSignature }[];
};

const STATEMENT = object({
  subject: list(object({
    name: optional(text),
    digest: record(text),
  })),
  predicateType: text,
  predicate: optional(anyObject),
});

const CLAIMS = object({ isoc: optional(anyObject) });

const IMAGES = object({
  isoc: optional(object({
    images: optional(list(object({
      manifest: optional(text),
      cosign: optional(object({ payload: text, signature: text })),
    }))),
  })),
});

/**
 * Checks that a signature is one of a file, by a key.
 *
 * @param signature The signature file.
 * @param key The signer's public key.
 * @param file The file's SHA-256 in hex, and its name for messages.
 * @throws {InputError} If it is not; the message says why.
 */
export function checkSignature(
  signature: Uint8Array,
  key: PublicKey,
  file: { name: string; digest: string },
): CheckedSignature {
  const read = readSignature(signature);
  const name = keyName(key.id);
  if (read.kind === "blob") {
    if (isSignature(key, file.digest, read.signature)) return { key: name };
    throw wrongKey(read, key) ?? new InputError(
      `It is no signature of ${file.name} by the key ${name}: the file was ` +
        "changed, the signature is that of another file, or it was made with " +
        "another key",
    );
  }
  if (!isSignature(key, read.digest, read.signature)) {
    throw wrongKey(read, key) ?? new InputError(
      "It is damaged: its signature does not fit what it says, by the key " +
        `${name}; get it anew`,
    );
  }
  return { key: name, ...checkStatement(read.statement, file) };
}

/**
 * Whether a bundle is a signature of an image in a registry, by a key.
 *
 * @param signature The bundle.
 * @param digest The digest of the image's manifest, such as `sha256:…`.
 * @throws {InputError} If it is no bundle.
 */
export function isSigned(
  signature: Uint8Array,
  key: PublicKey,
  digest: string,
): boolean {
  const read = readSignature(signature);
  if (read.kind === "blob" || !isSignature(key, read.digest, read.signature)) {
    return false;
  }
  const { subject, predicateType } = readStatement(read.statement);
  return predicateType === SIGN_TYPE &&
    subject.some((one) => `sha256:${one.digest.get("sha256")}` === digest);
}

/**
 * The signatures that a bundle of `ciso sign` has for images in registries; they
 * have not been checked.
 *
 * @returns By the digests of the images' manifests.
 * @throws {InputError} If it is no such bundle.
 */
export function imageSignatures(
  signature: Uint8Array,
): Map<string, CosignSignature> {
  const read = readSignature(signature);
  const { predicate } = read.kind === "blob"
    ? { predicate: undefined }
    : readStatement(read.statement);
  const { isoc } = IMAGES(predicate ?? {}, new Place("Its predicate"));
  const found = new Map<string, CosignSignature>();
  for (const { manifest, cosign } of isoc?.images ?? []) {
    if (manifest && cosign) found.set(manifest, cosign);
  }
  return found;
}

/** The error for a signature that says itself that another key made it. */
function wrongKey(
  { keyId }: SignatureFile,
  { id }: PublicKey,
): InputError | undefined {
  if (keyId === undefined || keyId === id) return undefined;
  return new InputError(
    `It was made with another key, ${shown(keyName(keyId))}, not with ${
      keyName(id)
    }: give the public key of whoever signed it`,
  );
}

function readStatement(statement: string) {
  const place = new Place("Its statement");
  return STATEMENT(parseJson("Its statement", statement), place);
}

/** Checks what a statement, whose signature is right, says of the file. */
function checkStatement(
  statement: string,
  file: { name: string; digest: string },
): { claims?: SignedClaims } {
  const { subject, predicateType, predicate } = readStatement(statement);
  if (predicateType !== SIGN_TYPE) {
    throw new InputError(
      `It says something else of a file than that it is signed: ${
        shown(predicateType)
      }`,
    );
  }
  // The file is the first one; images that are in it may follow.
  const [first] = subject;
  const signed = first?.digest.get("sha256");
  if (signed !== file.digest) {
    throw new InputError(
      `It is the signature of ${
        first?.name === undefined ? "another file" : shown(first.name)
      } with sha256:${
        shown(signed ?? "").slice(1, -1)
      }, but ${file.name} has ` +
        `sha256:${file.digest}: the file was changed after it was signed, or ` +
        "this is the signature of another one",
    );
  }
  const { isoc } = CLAIMS(predicate ?? {}, new Place("Its predicate"));
  return isoc ? { claims: isoc as unknown as SignedClaims } : {};
}
