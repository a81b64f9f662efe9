import { builtIn } from "./node.ts";

/**
 * Brings a private key in PEM to PKCS#8, by the runtime's own OpenSSL: an
 * encrypted one, or the form of `openssl ecparam -genkey`.
 *
 * @param pem The file's text.
 * @param password What it is encrypted with, if it is.
 * @returns The key, DER; `undefined` if the password is wrong or it is damaged.
 */
export function toPkcs8(
  pem: string,
  password?: string,
): Uint8Array<ArrayBuffer> | undefined {
  const { createPrivateKey } = builtIn("crypto");
  try {
    const key = createPrivateKey({
      key: pem,
      format: "pem",
      ...(password !== undefined && { passphrase: password }),
    });
    return new Uint8Array(key.export({ type: "pkcs8", format: "der" }));
  } catch {
    return undefined;
  }
}
