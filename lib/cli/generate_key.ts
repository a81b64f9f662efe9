import { FileError } from "../errors/file_error.ts";
import { generateKeys } from "../sign/key_pair.ts";
import { keyName } from "../sign/sign_image.ts";
import { utf8 } from "../streams/bytes.ts";
import { host } from "../system/host.ts";
import { writeNewFile } from "../system/new_file.ts";
import { keyPassword } from "./key_password.ts";
import type { Parsed } from "./options.ts";
import { DEFAULT_PREFIX } from "./signature_options.ts";
import { printJson, printLines } from "./say.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Runs `ciso generate-key`: makes a pair of keys. A key that is there is never
 * replaced: what it has signed could not be signed again.
 *
 * @param parsed The command line.
 * @throws {UsageError} If the command line is wrong.
 * @throws {FileError} If a key is there already, or cannot be written.
 */
export async function runGenerateKey(parsed: Parsed): Promise<void> {
  const words = [...parsed.words, ...parsed.rest ?? []];
  if (words.length > 0) {
    throw new UsageError(
      "ciso generate-key takes no word: name the files with " +
        "--output-key-prefix",
    );
  }
  const prefix = parsed.value("output-key-prefix") ?? DEFAULT_PREFIX;
  const files = { private: `${prefix}.key`, public: `${prefix}.pub` };
  for (const path of [files.private, files.public]) {
    if (host.exists(path)) throw existing(path);
  }
  const password = await keyPassword(parsed.on("password-stdin"), [
    `Password for ${files.private}: `,
    "The same again: ",
  ]);
  const { privatePem, publicPem, publicKey } = await generateKeys(password);
  try {
    writeNewFile(files.private, utf8(privatePem), 0o600);
    try {
      writeNewFile(files.public, utf8(publicPem), 0o644);
    } catch (error) {
      host.remove(files.private);
      throw error;
    }
  } catch (error) {
    const isThere = error instanceof FileError && error.code === "EEXIST";
    throw isThere ? existing(`A key ${prefix}.key or ${prefix}.pub`) : error;
  }
  const name = keyName(publicKey.id);
  if (parsed.on("json")) {
    return printJson({
      version: 1,
      privateKey: files.private,
      publicKey: files.public,
      key: name,
    });
  }
  if (parsed.on("quiet")) return;
  printLines([
    `${files.private}: private key, for ciso sign --key`,
    `${files.public}: public key ${name}, for ciso verify --key`,
  ]);
}

function existing(path: string): FileError {
  return new FileError(
    `${path} is there already, and no key is replaced: choose another name ` +
      "with --output-key-prefix",
    { code: "EEXIST" },
  );
}
