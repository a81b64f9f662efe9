import { InputError } from "../errors/input_error.ts";
import { imagePath } from "../read/image_path.ts";
import type { RegistryClient } from "../registry/client.ts";
import type { Pushed } from "../registry/push_image.ts";
import type { Reference } from "../registry/reference.ts";
import { imageSignatures } from "../sign/check_signature.ts";
import { pushSignature, signInRegistry } from "../sign/registry_signature.ts";
import { host } from "../system/host.ts";
import { inFile } from "./failure.ts";
import { privateKey } from "./key_password.ts";
import type { Parsed } from "./options.ts";
import { readSignatureFile, signatureOf } from "./signature_check.ts";
import { SUFFIX } from "./signature_options.ts";
import { UsageError } from "./usage_error.ts";

/** Puts the signature of a pushed image beside it. */
export type Sign = (
  client: RegistryClient,
  reference: Reference,
  image: Pushed,
) => Promise<void>;

/**
 * What signs the images of a push, as the command line asks for it.
 *
 * @param word The image on the command line.
 * @returns `undefined` if nothing is signed.
 * @throws {UsageError} If options do not fit together.
 * @throws {InputError} If the key or the signature cannot be read.
 */
export async function signing(
  parsed: Parsed,
  word: string,
): Promise<Sign | undefined> {
  const keyFile = parsed.value("sign-key");
  const isAttached = parsed.on("with-signature");
  if (keyFile !== undefined) {
    if (isAttached) {
      throw new UsageError(
        "--sign-key makes a new signature: leave out " +
          "--with-signature",
      );
    }
    const key = await privateKey(keyFile, false);
    return (client, reference, image) =>
      signInRegistry(client, reference, image, key);
  }
  if (!isAttached) return undefined;
  const compression = parsed.value("compression") ?? "none";
  if (compression !== "none") {
    throw new UsageError(
      "--with-signature pushes layers as they were signed: leave out " +
        `--compression ${compression}, or sign with --sign-key`,
    );
  }
  return attaching(parsed, word);
}

/** Pushes a signature that is there. */
function attaching(parsed: Parsed, word: string): Sign {
  const { path } = imagePath(word, host.exists);
  const file = signatureOf(path, parsed.value("signature"), SUFFIX.bundle);
  const bytes = readSignatureFile(file, path);
  const signatures = inFile(file, () => imageSignatures(bytes));
  const bundle = new TextDecoder().decode(bytes);
  return async (client, { repository }, image) => {
    const signature = signatures.get(image.digest);
    if (!signature) {
      throw new InputError(
        `${file} has no signature of what was pushed, ${image.digest}: it has ` +
          "no image manifest of that digest; sign it with --sign-key",
      );
    }
    await pushSignature(client, repository, image, { signature, bundle });
  };
}
