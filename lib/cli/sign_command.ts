import type { Command } from "./command.ts";
import { COMMON } from "./export_options.ts";
import {
  DEFAULT_PREFIX,
  PASSWORD_OPTION,
  SUFFIX,
} from "./signature_options.ts";

/** `ciso sign`. */
export const signCommand: Command = {
  name: "sign",
  summary: "sign an image file with a key of cosign's kind or with gpg",
  usage: ["sign IMAGE --key FILE", "sign IMAGE --gpg KEY"],
  about:
    `With --key it writes a sigstore bundle, IMAGE${SUFFIX.bundle}: one signature over the
digests of the file and of all manifests, configs, layers and other documents
that engines read of it. cosign verify-blob takes it, too.

With --gpg the user's gpg makes IMAGE${SUFFIX.gpg}, a detached signature of the file for
gpg --verify, gpgv and rkt; the key may be on a smart card. Under deno run it needs
--allow-run=gpg.

ciso verify checks both without a network. IMAGE may be compressed: the file is
signed as it is.`,
  options: [
    {
      name: "key",
      value: "FILE",
      brief: true,
      help:
        "sign with this private key (PEM), as ciso generate-key or cosign " +
        "makes it",
    },
    {
      name: "gpg",
      value: "KEY",
      brief: true,
      help: "have gpg sign with this key: a fingerprint, an address",
    },
    {
      name: "output",
      short: "o",
      value: "FILE",
      help: "where the signature goes; beside the image unless given, of " +
        "standard input to standard output",
    },
    { name: "force", help: "replace a signature that is there" },
    PASSWORD_OPTION,
    { name: "json", group: "General", help: "print what was signed as JSON" },
    ...COMMON,
  ],
  exitCodes: [
    ["0", "signed"],
    [
      "1",
      "the file is no whole image, the key is not right, or a signature " +
      "is there already",
    ],
  ],
  examples: [
    "ciso sign hello.isoc --key ciso.key",
    "ciso sign hello.isoc --gpg me@example.org",
  ],
  async run(parsed) {
    const { runSign } = await import("./sign.ts");
    return await runSign(parsed);
  },
};

/** `ciso generate-key`. */
export const generateKeyCommand: Command = {
  name: "generate-key",
  summary: "make a pair of keys to sign images with",
  usage: ["generate-key [--output-key-prefix NAME]"],
  about:
    `Makes an ECDSA key on P-256: NAME.key, the private key, encrypted with a password
and readable by its owner alone, and NAME.pub, the public key. cosign takes both as
its own, and ciso those of cosign. No key that is there is replaced.`,
  options: [
    {
      name: "output-key-prefix",
      value: "NAME",
      brief: true,
      help: `what the files' names start with; ${DEFAULT_PREFIX} unless given`,
    },
    PASSWORD_OPTION,
    { name: "json", group: "General", help: "print the names as JSON" },
    {
      name: "quiet",
      group: "General",
      short: "q",
      help: "print nothing",
    },
  ],
  words: [],
  examples: ["ciso generate-key", "ciso generate-key --output-key-prefix team"],
  async run(parsed) {
    const { runGenerateKey } = await import("./generate_key.ts");
    return await runGenerateKey(parsed);
  },
};
