import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { parseJson } from "../formats/json_text.ts";
import {
  anyObject,
  list,
  object,
  optional,
  Place,
  text,
} from "../read/shape.ts";
import { bytesDigest } from "../streams/sha256.ts";
import { fromBase64 } from "./base64.ts";
import { preAuthEncoding, STATEMENT_TYPE } from "./dsse.ts";

/** A signature file, read; nothing of it has been checked. */
export type SignatureFile =
  & {
    /** The key that made it, as far as the file says that. */
    keyId?: string;
    signature: Uint8Array;
  }
  & (
    /** A signature of the file itself, as `cosign sign-blob` makes it. */
    | { kind: "blob" }
    /** A signature of a statement about the file. */
    | {
      kind: "statement";
      /** SHA-256 of what is signed, in hex. */
      digest: string;
      /** The statement, JSON. */
      statement: string;
    }
  );

const BUNDLE = object({
  mediaType: optional(text),
  base64Signature: optional(text),
  verificationMaterial: optional(object({
    publicKey: optional(object({ hint: optional(text) })),
    certificate: optional(anyObject),
    x509CertificateChain: optional(anyObject),
  })),
  messageSignature: optional(object({ signature: text })),
  dsseEnvelope: optional(object({
    payload: text,
    payloadType: text,
    signatures: list(object({ sig: text })),
  })),
});

/**
 * Reads a signature file: a sigstore bundle, the bundle of cosign before 3, or
 * a bare signature in base64 as `cosign sign-blob` prints it.
 *
 * @param bytes The file.
 * @throws {InputError} If it is something else.
 */
export function readSignature(bytes: Uint8Array): SignatureFile {
  const content = new TextDecoder().decode(bytes);
  if (content.trimStart().startsWith("{")) return readBundle(content);
  const bare = content.trim();
  if (/^[A-Za-z0-9+/\s]+=*$/.test(bare)) {
    return { kind: "blob", signature: fromBase64("It", bare) };
  }
  if (content.startsWith("-----BEGIN PGP")) {
    throw new InputError(
      "It is a signature of OpenPGP: give the signer's keys with a keyring, " +
        "not with a key",
    );
  }
  throw new InputError(
    `It is no signature that is known here, but starts with ${
      shown(content, 30)
    }: it must be a sigstore bundle, or a signature in base64`,
  );
}

function readBundle(content: string): SignatureFile {
  const place = new Place("The bundle");
  const bundle = BUNDLE(parseJson("It", content), place);
  const { verificationMaterial: material, dsseEnvelope: envelope } = bundle;
  if (material?.certificate || material?.x509CertificateChain) {
    throw new InputError(
      "It was made with a certificate, which ciso does not check: sign with " +
        "a key, or use cosign verify-blob",
    );
  }
  const hint = material?.publicKey?.hint;
  const keyId = hint === undefined ? {} : { keyId: hint };
  const blob = bundle.messageSignature?.signature ?? bundle.base64Signature;
  if (blob !== undefined) {
    return {
      kind: "blob",
      ...keyId,
      signature: fromBase64("Its signature", blob),
    };
  }
  const [first, ...more] = envelope?.signatures ?? [];
  if (!envelope || !first || more.length > 0) {
    throw new InputError(
      `It holds ${1 + more.length > 1 ? 1 + more.length : "no"} signatures ` +
        "that ciso knows, not one: make it with ciso sign",
    );
  }
  const { payloadType } = envelope;
  if (payloadType !== STATEMENT_TYPE) {
    throw new InputError(
      `It signs ${shown(payloadType)}, not a statement about a file`,
    );
  }
  const payload = fromBase64("Its payload", envelope.payload);
  return {
    kind: "statement",
    ...keyId,
    signature: fromBase64("Its signature", first.sig),
    digest: bytesDigest(preAuthEncoding(payloadType, payload)),
    statement: new TextDecoder().decode(payload),
  };
}
