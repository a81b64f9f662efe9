import { InputError } from "../errors/input_error.ts";
import { shownWord } from "../errors/shown.ts";
import { fileError } from "./errors.ts";
import { builtIn, fs } from "./node.ts";

/** Files with a server's certificate and its key, PEM. */
export interface TlsFiles {
  cert: string;
  key: string;
}

/**
 * Reads the files that HTTPS needs, and checks them: each runtime would say
 * something else of a wrong one, Deno nothing until a client comes.
 *
 * @returns Their texts.
 * @throws {InputError} If one holds something else, or they do not go together;
 * the message names the file.
 */
export function readTlsFiles(files: TlsFiles): TlsFiles {
  const { X509Certificate, createPrivateKey } = builtIn("crypto");
  const cert = readFile(files.cert);
  const key = readFile(files.key);
  const certificate = tried(
    () => new X509Certificate(cert),
    `${shownWord(files.cert)} holds no certificate in PEM: a line ` +
      "-----BEGIN CERTIFICATE----- begins one",
  );
  const own = tried(
    () => createPrivateKey(key),
    `${shownWord(files.key)} holds no private key in PEM without a password: ` +
      "a line -----BEGIN PRIVATE KEY----- begins one",
  );
  if (!certificate.checkPrivateKey(own)) {
    throw new InputError(
      `${shownWord(files.key)} is not the key of the certificate ` +
        `${shownWord(files.cert)}: give the key that it was made with`,
    );
  }
  return { cert, key };
}

function tried<T>(make: () => T, message: string): T {
  try {
    return make();
  } catch (cause) {
    throw new InputError(message, { cause });
  }
}

function readFile(path: string): string {
  try {
    return fs.readFileSync(path, "utf8");
  } catch (error) {
    throw fileError(`Cannot read ${path}`, error);
  }
}
