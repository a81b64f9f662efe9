import { InputError } from "../errors/input_error.ts";
import { binary } from "../streams/bytes.ts";
import { fromHex } from "./hex.ts";

/** Object identifiers in DER, and what key they name: RFC 5480, 8017, 8410. */
const KINDS: readonly (readonly [hex: string, kind: string])[] = [
  ["06052b81040022", "an ECDSA key on P-384"],
  ["06052b81040023", "an ECDSA key on P-521"],
  ["06052b8104000a", "an ECDSA key on secp256k1"],
  ["06092a864886f70d010101", "an RSA key"],
  ["06092a864886f70d01010a", "an RSA-PSS key"],
  ["06032b6570", "an Ed25519 key"],
  ["06032b6571", "an Ed448 key"],
  ["06032b656e", "an X25519 key"],
];

/**
 * The error for a key that cannot be used.
 *
 * @param der The key, SPKI or PKCS#8.
 * @param but Why another kind of key will not do.
 */
export function wrongKind(
  der: Uint8Array,
  but: string,
  cause: unknown,
): InputError {
  // It is at the beginning; a key's own bytes may look like anything.
  const head = binary(der.subarray(0, 40));
  const known = KINDS.find(([hex]) => head.includes(binary(fromHex(hex))));
  return new InputError(
    known
      ? `It is ${known[1]}, but ${but}`
      : "It is damaged, or no key that is known here: get it anew",
    { cause },
  );
}
