import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { concat } from "../streams/bytes.ts";
import { fromBase64 } from "./base64.ts";

/** A line of gpg's for programs: what happened, and words about it. */
interface Status {
  keyword: string;
  words: string[];
}

const PREFIX = "[GNUPG:] ";

/**
 * The lines of gpg's --status-fd, which are the same in all languages.
 *
 * @see {@link https://github.com/gpg/gnupg/blob/master/doc/DETAILS}
 */
function statusesOf(text: string): Status[] {
  return text.split("\n").filter((line) => line.startsWith(PREFIX)).map(
    (line) => {
      const [keyword = "", ...words] = line.slice(PREFIX.length).trim()
        .split(" ");
      return { keyword, words };
    },
  );
}

/** A signature that gpgv has found right. */
export interface OpenPgpSignature {
  /** The fingerprint of the key. */
  fingerprint: string;
  /** Whose key it is, as the key says. */
  userId: string;
  /** When it was made, such as `2026-01-01`. */
  date: string;
}

/** What makes a signature worthless, and what to do about it. */
const FAULTS = new Map<string, (words: string[]) => string>([
  [
    "BADSIG",
    ([key]) =>
      `It is no signature of this file by the key ${
        shown(key)
      }: the file was changed, or it is the signature of another one`,
  ],
  [
    "EXPKEYSIG",
    ([key]) =>
      `The key ${shown(key)} that made it has expired: get the signer's key ` +
      "anew, or have the file signed anew",
  ],
  [
    "REVKEYSIG",
    ([key]) =>
      `The key ${shown(key)} that made it has been revoked: have the file ` +
      "signed with another key",
  ],
  ["EXPSIG", () => "The signature has expired: have the file signed anew"],
  [
    "ERRSIG",
    ([key, algorithm, , , , code]) =>
      code === "9"
        ? `It was made with the key ${
          shown(key)
        }, which is not in the keyring: add the signer's key, if you trust it`
        : `gpgv cannot check it: key ${shown(key)}, algorithm ${
          shown(algorithm)
        }, error ${shown(code)}`,
  ],
  [
    "NODATA",
    () => "It is no signature of OpenPGP, or damaged: get it anew",
  ],
]);

/**
 * Reads what gpgv says of a signature.
 *
 * @param text Its status lines.
 * @param code Its exit code.
 * @param said What it says to people.
 * @throws {InputError} If no key of the keyring has signed the file.
 */
export function readVerdict(
  text: string,
  code: number,
  said: string,
): OpenPgpSignature {
  const statuses = statusesOf(text);
  const fault = [...FAULTS.keys()].map((keyword) =>
    statuses.find((status) => status.keyword === keyword)
  ).find((status) => status !== undefined);
  const good = statuses.find(({ keyword }) => keyword === "GOODSIG");
  const valid = statuses.find(({ keyword }) => keyword === "VALIDSIG");
  // Somebody else may have signed as well, by a key that nobody knows here.
  const isOther = fault?.keyword === "ERRSIG" && fault.words[5] === "9";
  if (good && valid && (fault ? isOther : code === 0)) {
    const [fingerprint = "", date = ""] = valid.words;
    return { fingerprint, date, userId: unescaped(good.words.slice(1)) };
  }
  throw new InputError(
    fault
      ? FAULTS.get(fault.keyword)!(fault.words)
      : `gpgv does not take it: ${lastLine(said)}`,
  );
}

/**
 * Why gpg has made no signature.
 *
 * @param key The key that it was asked for.
 * @param said Its status lines and what it says to people.
 */
export function signFailure(key: string, said: string): InputError {
  const statuses = statusesOf(said);
  const isUnusable = statuses.some(({ keyword, words }) =>
    keyword === "FAILURE" && Number(words.at(-1)) % 65536 === UNUSABLE
  );
  const [invalid] = statuses.filter(({ keyword }) => keyword === "INV_SGNR");
  const reason = invalid?.words[0];
  const what = `gpg does not sign with the key ${shown(key)}`;
  if (isUnusable || reason === "4" || reason === "5") {
    return new InputError(
      `${what}: it has expired, is revoked or is not for signatures; gpg ` +
        "--list-secret-keys says which, gpg --quick-set-expire gives more time",
    );
  }
  if (reason === "1" || reason === "9") {
    return new InputError(
      `${what}: there is no private key of that name; gpg --list-secret-keys ` +
        "lists those that are there",
    );
  }
  // Its pinentry has no terminal to ask on, or there is none.
  const cannotAsk = /ioctl|pinentry/i.test(said);
  return new InputError(
    `${what}: ${lastLine(said)}${
      cannotAsk ? "; let it ask with export GPG_TTY=$(tty)" : ""
    }`,
  );
}

/** GPG_ERR_UNUSABLE_SECKEY of libgpg-error. */
const UNUSABLE = 54;

/** The last line that a program has for people. */
function lastLine(said: string): string {
  const lines = said.split("\n").filter((line) =>
    line.trim() !== "" && !line.startsWith(PREFIX)
  );
  return shown((lines.at(-1) ?? "it says nothing").replace(/^gpgv?: /, ""));
}

/** A user ID, in which gpg escapes some bytes as in a URL. */
function unescaped(words: string[]): string {
  const text = words.join(" ");
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Takes the armour off a keyring: gpgv wants it without.
 *
 * @param bytes The file; without armour it stays as it is.
 * @throws {InputError} If it holds something else than keys.
 *
 * RFC 9580, section 6.2.
 */
export function readKeyring(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) throw new InputError("It is empty: it holds no key");
  const head = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart();
  if (!head.startsWith("-----BEGIN ")) return bytes;
  const text = new TextDecoder().decode(bytes);
  const blocks = text.matchAll(
    /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n([^]*?)-----END PGP PUBLIC KEY BLOCK-----/g,
  );
  const parts = [...blocks].map(([, body]) => keyOf(body!));
  if (parts.length === 0) {
    throw new InputError(
      `It holds no public keys of OpenPGP, but starts with ${
        shown(head, 40)
      }: gpg --export KEY writes them`,
    );
  }
  return concat(parts);
}

/** The bytes of an armoured block, less its headers and its checksum. */
function keyOf(body: string): Uint8Array {
  const content = body.replace(/^(?:[\w-]+: .*\r?\n)*\r?\n?/, "")
    .replace(/^=[A-Za-z0-9+/]{4}\s*$/m, "");
  return fromBase64("Its content", content);
}
