import { group, type Option } from "./options.ts";

/** What the names of signature files end with, after the image's name. */
export const SUFFIX = { bundle: ".sigstore.json", gpg: ".asc" } as const;

/** Who must have signed an image, by an option for each kind of key. */
export function signatureOptions(key: string, keyring: string): Option[] {
  return group("Signature", [
    {
      name: key,
      value: "FILE",
      help: "take the image only if this public key (PEM, of ciso " +
        "generate-key or cosign) has signed it",
    },
    {
      name: keyring,
      value: "FILE",
      help: "take the image only if a key of this OpenPGP keyring has signed " +
        "it; runs gpgv",
    },
    {
      name: "signature",
      value: "FILE",
      help: `the signature; IMAGE${SUFFIX.bundle} for a key and ` +
        `IMAGE${SUFFIX.gpg} for a keyring unless given`,
    },
  ]);
}

/** The options of commands that take nothing unsigned, if so asked. */
export const VERIFY_OPTIONS: Option[] = signatureOptions(
  "verify-key",
  "verify-keyring",
);

/** How a push signs. */
export const SIGN_OPTIONS: Option[] = group("Signature", [
  {
    name: "sign-key",
    value: "FILE",
    help: "sign what is pushed with this private key, for cosign verify; " +
      "$COSIGN_PASSWORD has its password, else it is asked for",
  },
  {
    name: "with-signature",
    help:
      "push the signature that ciso sign --key has made of the image, too; " +
      "layers go out as they are",
  },
]);

/** The variable that cosign reads, too. */
export const PASSWORD_VARIABLE = "COSIGN_PASSWORD";

/** How the password of a private key is given. */
export const PASSWORD_OPTION: Option = {
  name: "password-stdin",
  help:
    `read the private key's password from standard input; $${PASSWORD_VARIABLE} has it ` +
    "too, else it is asked for on a terminal",
};

/** What the files' names start with unless the command line says it. */
export const DEFAULT_PREFIX = "ciso";
