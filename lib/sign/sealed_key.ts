import { xsalsa20poly1305 } from "@noble/ciphers/salsa";
import { scryptAsync } from "@noble/hashes/scrypt";
import { InputError } from "../errors/input_error.ts";
import { jsonText, parseJson } from "../formats/json_text.ts";
import { integer, object, Place, text } from "../read/shape.ts";
import { utf8 } from "../streams/bytes.ts";
import { fromBase64, toBase64 } from "./base64.ts";

/** The work of scrypt that cosign asks for: N, r and p of RFC 7914. */
const WORK = { N: 1 << 16, r: 8, p: 1 };
/** More than any of cosign's settings asks for, in memory 1 GiB. */
const MAX_N = 1 << 20;
/** What is said where nobody can tell the one from the other. */
export const WRONG_PASSWORD =
  "The password is wrong, or the key file is damaged: give the password that it " +
  "was made with";
const SALT = 32;
const NONCE = 24;

const SEALED = object({
  kdf: object({
    name: text,
    params: object({ N: integer, r: integer, p: integer }),
    salt: text,
  }),
  cipher: object({ name: text, nonce: text }),
  ciphertext: text,
});

/** What a password and a file's settings make a key of. */
async function keyOf(
  password: string,
  salt: Uint8Array,
  work: { N: number; r: number; p: number },
): Promise<Uint8Array> {
  return await scryptAsync(utf8(password), salt, {
    ...work,
    dkLen: 32,
    maxmem: 2 ** 31,
  });
}

/**
 * Encrypts a private key as cosign does: scrypt makes a key of the password,
 * NaCl's secretbox encrypts with it.
 *
 * @param key The private key, PKCS#8.
 * @returns A JSON document, which goes into a PEM file.
 */
export async function seal(
  key: Uint8Array,
  password: string,
): Promise<Uint8Array> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT));
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE));
  const box = xsalsa20poly1305(await keyOf(password, salt, WORK), nonce);
  return utf8(jsonText({
    kdf: { name: "scrypt", params: WORK, salt: toBase64(salt) },
    cipher: { name: "nacl/secretbox", nonce: toBase64(nonce) },
    ciphertext: toBase64(box.encrypt(key)),
  }));
}

/**
 * The inverse of {@linkcode seal}.
 *
 * @throws {InputError} If the password is wrong, or the document is damaged.
 */
export async function unseal(
  document: Uint8Array,
  password: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const json = parseJson("Its content", new TextDecoder().decode(document));
  const { kdf, cipher, ciphertext } = SEALED(json, new Place("Its content"));
  const { N, r, p } = kdf.params;
  if (kdf.name !== "scrypt" || cipher.name !== "nacl/secretbox") {
    throw new InputError(
      "It is encrypted in a way that cosign does not know either",
    );
  }
  const isPower = N > 1 && (N & (N - 1)) === 0;
  if (!isPower || N > MAX_N || r !== WORK.r || p !== WORK.p) {
    throw new InputError(
      `It asks scrypt for N ${N}, r ${r}, p ${p}, which no version of cosign ` +
        "writes",
    );
  }
  const nonce = fromBase64("Its nonce", cipher.nonce);
  if (nonce.length !== NONCE) {
    throw new InputError(`Its nonce has ${nonce.length} bytes, not ${NONCE}`);
  }
  const key = await keyOf(
    password,
    fromBase64("Its salt", kdf.salt),
    kdf.params,
  );
  const box = fromBase64("Its ciphertext", ciphertext);
  try {
    return new Uint8Array(xsalsa20poly1305(key, nonce).decrypt(box));
  } catch (cause) {
    throw new InputError(WRONG_PASSWORD, { cause });
  }
}
