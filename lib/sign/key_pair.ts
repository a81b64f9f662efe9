import { p256 } from "@noble/curves/nist";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { bytesDigest } from "../streams/sha256.ts";
import { fromHex } from "./hex.ts";
import { toBase64 } from "./base64.ts";
import { wrongKind } from "./key_kind.ts";
import { readPem, writePem } from "./pem.ts";
import { seal, unseal, WRONG_PASSWORD } from "./sealed_key.ts";

/** ECDSA on the curve P-256, the kind of key that cosign makes. */
const ECDSA = { name: "ECDSA", namedCurve: "P-256" } as const;

/** cosign's labels for an encrypted private key: today's and that before 2.0. */
const SEALED = [
  "ENCRYPTED SIGSTORE PRIVATE KEY",
  "ENCRYPTED COSIGN PRIVATE KEY",
] as const;

/** A key that checks signatures. */
export interface PublicKey {
  /** SHA-256 of the key (SPKI) in base64, by which bundles name it. */
  id: string;
  /** The point on the curve, uncompressed: 65 bytes. */
  point: Uint8Array;
}

/** A key that signs. */
export interface PrivateKey {
  key: CryptoKey;
  publicKey: PublicKey;
}

/**
 * Makes a pair of keys that cosign takes as its own.
 *
 * @param password What encrypts the private key.
 * @returns Two PEM files and the public key.
 */
export async function generateKeys(
  password: string,
): Promise<{ privatePem: string; publicPem: string; publicKey: PublicKey }> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(
    ECDSA,
    true,
    ["sign", "verify"],
  );
  const secret = await crypto.subtle.exportKey("pkcs8", privateKey);
  const spki = await crypto.subtle.exportKey("spki", publicKey);
  const sealed = await seal(new Uint8Array(secret), password);
  return {
    privatePem: writePem(SEALED[0], sealed),
    publicPem: writePem("PUBLIC KEY", new Uint8Array(spki)),
    publicKey: await publicKeyOf(new Uint8Array(spki)),
  };
}

/** How a private key is read. */
export interface KeyReader {
  /** Is called if the key is encrypted. */
  password: () => Promise<string>;
  /**
   * Brings OpenSSL's other forms to PKCS#8; gives `undefined` if the password is
   * wrong or the key is damaged.
   */
  toPkcs8: (
    pem: string,
    password?: string,
  ) => Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Reads a private key: a PEM file as cosign writes it, or as OpenSSL does.
 *
 * @param file The file's text.
 * @param reader Gives the password, and reads what WebCrypto does not.
 * @throws {InputError} If it is another kind of key, or the password is wrong.
 */
export async function readPrivateKey(
  file: string,
  { password, toPkcs8 }: KeyReader,
): Promise<PrivateKey> {
  const pem = readPem(file);
  if (!pem) {
    throw new InputError(
      `It is no private key in PEM, but starts with ${
        shown(file, 30)
      }: make one with ciso generate-key`,
    );
  }
  const { label, bytes } = pem;
  if ((SEALED as readonly string[]).includes(label)) {
    return await privateKeyOf(await unseal(bytes, await password()));
  }
  if (label === "PRIVATE KEY") return await privateKeyOf(bytes);
  if (!label.endsWith("PRIVATE KEY")) throw new InputError(wrongPrivate(label));
  const isEncrypted = label.startsWith("ENCRYPTED ") ||
    file.includes("\nProc-Type: 4,ENCRYPTED");
  const pkcs8 = toPkcs8(file, isEncrypted ? await password() : undefined);
  if (pkcs8) return await privateKeyOf(pkcs8);
  throw new InputError(
    isEncrypted ? WRONG_PASSWORD : "It is a damaged private key: get it anew",
  );
}

/** Why a PEM file is no private key, and what to do. */
function wrongPrivate(label: string): string {
  return label.endsWith("PUBLIC KEY")
    ? "It is a public key, which checks signatures: give the private key"
    : `It is ${
      shown(label)
    }, not a private key: make one with ciso generate-key`;
}

async function privateKeyOf(
  pkcs8: Uint8Array<ArrayBuffer>,
): Promise<PrivateKey> {
  try {
    const key = await crypto.subtle.importKey("pkcs8", pkcs8, ECDSA, true, [
      "sign",
    ]);
    // Not every PKCS#8 has the public half, and WebCrypto gives it as JWK alone.
    const { x, y } = await crypto.subtle.exportKey("jwk", key);
    const open = await crypto.subtle.importKey(
      "jwk",
      { kty: "EC", crv: ECDSA.namedCurve, x: x!, y: y! },
      ECDSA,
      true,
      ["verify"],
    );
    const spki = await crypto.subtle.exportKey("spki", open);
    const pair = { key, publicKey: await publicKeyOf(new Uint8Array(spki)) };
    // Runtimes do not look whether both halves belong together.
    const signature = await signBytes(pair, pkcs8);
    if (isSignature(pair.publicKey, bytesDigest(pkcs8), signature)) return pair;
  } catch (cause) {
    throw wrongKind(
      pkcs8,
      "ciso signs with ECDSA on P-256: make such a key with ciso generate-key",
      cause,
    );
  }
  throw new InputError("It is a damaged private key: get it anew");
}

/**
 * Reads a public key in PEM.
 *
 * @param file The file's text.
 * @throws {InputError} If it is another kind of key.
 */
export async function readPublicKey(file: string): Promise<PublicKey> {
  if (file.startsWith("-----BEGIN PGP ")) {
    throw new InputError(
      "It is a key of OpenPGP: give it with --keyring or --verify-keyring",
    );
  }
  const pem = readPem(file);
  if (!pem) {
    throw new InputError(
      `It is no public key in PEM, but starts with ${
        shown(file, 30)
      }: give the .pub file of the signer`,
    );
  }
  if (pem.label === "PUBLIC KEY") return await publicKeyOf(pem.bytes);
  throw new InputError(
    pem.label.endsWith("PRIVATE KEY")
      ? "It is a private key: give the public key, which is all that a check " +
        "needs"
      : `It is ${
        shown(pem.label)
      }, not a public key: give the .pub file of the ` +
        "signer",
  );
}

async function publicKeyOf(
  spki: Uint8Array<ArrayBuffer>,
): Promise<PublicKey> {
  try {
    const key = await crypto.subtle.importKey("spki", spki, ECDSA, true, [
      "verify",
    ]);
    const point = await crypto.subtle.exportKey("raw", key);
    return {
      id: toBase64(fromHex(bytesDigest(spki))),
      point: new Uint8Array(point),
    };
  } catch (cause) {
    throw wrongKind(
      spki,
      "only ECDSA on P-256 is checked here, the kind that ciso generate-key and " +
        "cosign make",
      cause,
    );
  }
}

/**
 * Signs bytes.
 *
 * @returns The signature as cosign and OpenSSL write it (DER).
 */
export async function signBytes(
  { key }: PrivateKey,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const signature = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    key,
    new Uint8Array(bytes),
  );
  return p256.Signature.fromBytes(new Uint8Array(signature), "compact")
    .toBytes("der");
}

/**
 * Checks a signature. It is not WebCrypto's check, which wants all bytes at once:
 * an image has gigabytes.
 *
 * @param digest SHA-256 of the bytes, in hex.
 * @param signature The signature in DER.
 */
export function isSignature(
  { point }: PublicKey,
  digest: string,
  signature: Uint8Array,
): boolean {
  try {
    return p256.verify(signature, fromHex(digest), point, {
      prehash: false,
      format: "der",
      // Other programs do not choose the lower one of two.
      lowS: false,
    });
  } catch {
    // It has another length or form.
    return false;
  }
}
