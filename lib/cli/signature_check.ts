import { FileError } from "../errors/file_error.ts";
import { InputError } from "../errors/input_error.ts";
import { shownWord } from "../errors/shown.ts";
import type { SignedClaims } from "../sign/check_signature.ts";
import type { RegistryClient } from "../registry/client.ts";
import { getManifest } from "../registry/manifest.ts";
import { formatReference, type Reference } from "../registry/reference.ts";
import { streamDigest } from "../sign/image_claims.ts";
import type { PublicKey } from "../sign/key_pair.ts";
import { sha256 } from "../streams/sha256.ts";
import type { Source } from "../streams/source.ts";
import { host } from "../system/host.ts";
import type { RawCheck } from "../system/open_input.ts";
import { inFile, ofFile } from "./failure.ts";
import type { Parsed } from "./options.ts";
import { progressBar } from "./output.ts";
import { SUFFIX } from "./signature_options.ts";
import { say } from "./say.ts";
import { UsageError } from "./usage_error.ts";

// Keys and curves are loaded where something is signed: that takes a while, and
// nearly all images come without.

/** Bytes that a signature file has at most. */
const MAX_SIGNATURE = 1 << 24;

/** A signature that was right. */
export interface GoodSignature {
  /** The signature file. */
  file: string;
  /** The key: `SHA256:…`, or the fingerprint of one of OpenPGP. */
  key: string;
  /** What it says of the file, where `ciso sign --key` made it. */
  claims?: SignedClaims;
  /** Of a signature of OpenPGP whose key it is, and when it was made. */
  userId?: string;
  date?: string;
}

/** Checks the signatures of images. */
export interface SignatureCheck {
  /**
   * Looks at the bytes of an image.
   *
   * @param path The image; `-` is standard input.
   * @param onGood Gets each signature that is right.
   * @throws {UsageError} If it is not clear which signature is that image's.
   */
  of(path: string, onGood?: (signature: GoodSignature) => void): RawCheck;
  /**
   * Checks that the key has signed an image in a registry, as cosign does.
   *
   * @returns The same reference with the digest that was checked.
   * @throws {InputError} If the key has not signed it.
   */
  remote(client: RegistryClient, reference: Reference): Promise<Reference>;
  /** Refuses an image whose bytes are not those of one file. */
  refuse(word: string): InputError;
}

/** The options that name the key and the keyring. */
export interface KeyOptions {
  key: string;
  keyring: string;
}

const NAMES: KeyOptions = { key: "verify-key", keyring: "verify-keyring" };

/** Who must have signed, read. */
interface Signers {
  key: PublicKey | undefined;
  /** Keys of OpenPGP, without armour. */
  keys: Uint8Array | undefined;
  /** The signature file that the command line names. */
  given: string | undefined;
}

/**
 * What checks signatures, as the command line asks for it.
 *
 * @param parsed The command line.
 * @param names The options for the key and the keyring.
 * @returns `undefined` if nothing has to be signed.
 * @throws {UsageError} If options do not fit together.
 * @throws {InputError} If the key cannot be read.
 */
export async function signatureCheck(
  parsed: Parsed,
  names: KeyOptions = NAMES,
): Promise<SignatureCheck | undefined> {
  const signers = await signersOf(parsed, names);
  if (!signers) return undefined;
  const { key, keys, given } = signers;
  const tell = (line: string) => {
    if (parsed.on("verbose")) say(line);
  };
  return {
    of: (path, onGood = (one) => tell(goodLine(one))) => ({
      copy: true,
      async check(bytes, name) {
        if (key) {
          const file = signatureOf(path, given, SUFFIX.bundle);
          onGood(await checkByKey(bytes, { key, file, name }, parsed));
        }
        if (keys) {
          const file = signatureOf(path, given, SUFFIX.gpg);
          onGood(await checkByKeyring(bytes, { keys, file, name }));
        }
      },
    }),
    async remote(client, reference) {
      if (!key || keys || given !== undefined) {
        throw new UsageError(
          `The signatures of a registry are checked by --${names.key} alone: ` +
            `leave out --${keys ? names.keyring : "signature"}`,
        );
      }
      const { checkInRegistry } = await import("../sign/registry_signature.ts");
      const { keyName } = await import("../sign/sign_image.ts");
      const { digest } = await getManifest(client, reference);
      await checkInRegistry(client, reference.repository, digest, key);
      const checked = { ...reference, digest };
      tell(`${formatReference(checked)}: signed by ${keyName(key.id)}`);
      return checked;
    },
    refuse: (word) =>
      new InputError(
        `${shownWord(word)} is not one file, so it has no signature that ` +
          `--${names.key} or --${names.keyring} can check: save it in a file ` +
          "and sign that",
      ),
  };
}

/** Reads the keys; `undefined` if nothing has to be signed. */
async function signersOf(
  parsed: Parsed,
  names: KeyOptions,
): Promise<Signers | undefined> {
  const keyFile = parsed.value(names.key);
  const keyring = parsed.value(names.keyring);
  const given = parsed.value("signature");
  if (keyFile === undefined && keyring === undefined) {
    if (given === undefined || parsed.on("with-signature")) return undefined;
    throw new UsageError(
      `--signature needs the signer's key: --${names.key} or --${names.keyring}`,
    );
  }
  if (keyFile !== undefined && keyring !== undefined && given !== undefined) {
    throw new UsageError(
      `--signature is for one of --${names.key} and --${names.keyring}`,
    );
  }
  if (given !== undefined && parsed.values("rebase").length > 0) {
    throw new UsageError(
      "--signature is for one image: put the signature of each beside it",
    );
  }
  return {
    key: keyFile === undefined ? undefined : await publicKey(keyFile),
    keys: keyring === undefined ? undefined : await keysOf(keyring),
    given,
  };
}

/** What is said of a good signature. */
export function goodLine(
  { file, key, userId, date }: GoodSignature,
): string {
  const who = userId === undefined ? key : `${userId}, key ${key}, on ${date}`;
  return `signed by ${who} (${file})`;
}

/** Keys of OpenPGP, without armour. */
async function keysOf(path: string): Promise<Uint8Array> {
  const { readKeyring } = await import("../sign/openpgp.ts");
  return inFile(path, () => readKeyring(host.readBytes(path)));
}

async function publicKey(path: string): Promise<PublicKey> {
  const { readPublicKey } = await import("../sign/key_pair.ts");
  try {
    return await readPublicKey(host.readText(path));
  } catch (error) {
    throw ofFile(path, error);
  }
}

/** The signature file of an image. */
export function signatureOf(
  path: string,
  given: string | undefined,
  suffix: string,
): string {
  if (given !== undefined) return given;
  if (path !== "-") return `${path}${suffix}`;
  throw new UsageError(
    "Give the signature of standard input with --signature FILE",
  );
}

/**
 * Reads a signature file.
 *
 * @param name The image's name.
 */
export function readSignatureFile(path: string, name: string): Uint8Array {
  let bytes;
  try {
    bytes = host.readBytes(path);
  } catch (error) {
    if (!(error instanceof FileError) || error.code !== "ENOENT") throw error;
    throw new FileError(
      `${name} is not signed: there is no ${path}; name its signature with ` +
        "--signature, or sign it with ciso sign",
      { code: error.code, cause: error },
    );
  }
  if (bytes.length > 0 && bytes.length <= MAX_SIGNATURE) return bytes;
  throw new InputError(
    `${path}: It has ${bytes.length} bytes, so it is no signature`,
  );
}

async function checkByKey(
  bytes: Source & { size: number },
  { key, file, name }: { key: PublicKey; file: string; name: string },
  parsed: Parsed,
): Promise<GoodSignature> {
  const { checkSignature } = await import("../sign/check_signature.ts");
  const signature = readSignatureFile(file, name);
  const bar = progressBar(parsed.on("quiet"), "checking", bytes.size);
  try {
    const digest = await streamDigest(bytes, sha256(), (n) => bar?.add(n));
    return { file, ...checkSignature(signature, key, { name, digest }) };
  } catch (error) {
    throw ofFile(file, error);
  } finally {
    bar?.end();
  }
}

async function checkByKeyring(
  bytes: Source,
  { keys, file, name }: { keys: Uint8Array; file: string; name: string },
): Promise<GoodSignature> {
  const { gpgVerify } = await import("./gpg.ts");
  const signature = readSignatureFile(file, name);
  try {
    const { fingerprint, ...rest } = await gpgVerify(bytes, signature, keys);
    return { file, key: fingerprint, ...rest };
  } catch (error) {
    throw ofFile(file, error);
  }
}
