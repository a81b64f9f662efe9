import { FileError } from "../errors/file_error.ts";
import { imageClaims, streamDigest } from "../sign/image_claims.ts";
import type { PrivateKey } from "../sign/key_pair.ts";
import { keyName, signImage } from "../sign/sign_image.ts";
import { utf8 } from "../streams/bytes.ts";
import { sha256 } from "../streams/sha256.ts";
import type { Source } from "../streams/source.ts";
import { host } from "../system/host.ts";
import type { Input } from "../system/input.ts";
import { openInput } from "../system/open_input.ts";
import { ofFile } from "./failure.ts";
import { gpgSign } from "./gpg.ts";
import { privateKey } from "./key_password.ts";
import type { Parsed } from "./options.ts";
import { progressBar, unpackLimits, writeOutput } from "./output.ts";
import { printJson, printLines } from "./say.ts";
import { writeSmallFile } from "./small_file.ts";
import { SUFFIX } from "./signature_options.ts";
import { UsageError } from "./usage_error.ts";

/** What `ciso sign` is asked for. */
interface Wanted {
  /** The image; `-` is standard input. */
  path: string;
  /** Where the signature goes; `-` is standard output. */
  output: string;
  /** The key: gpg's name for one, or a private key. */
  gpg?: string;
  key?: PrivateKey;
}

/** A signature, made. */
interface Signed {
  signature: Uint8Array;
  /** SHA-256 of the image file in hex. */
  digest: string;
}

/**
 * Runs `ciso sign`.
 *
 * @param parsed The command line.
 * @throws {UsageError} If the command line is wrong.
 * @throws {InputError} If the file is no image, or the key does not sign.
 */
export async function runSign(parsed: Parsed): Promise<void> {
  const wanted = await wantedOf(parsed);
  const { path, output } = wanted;
  if (output !== "-" && !parsed.on("force") && host.exists(output)) {
    throw existing(output);
  }
  const { signature, digest } = await sign(wanted, parsed);
  if (output === "-") {
    await writeOutput(new Blob([signature.slice()]).stream(), undefined);
  } else {
    await writeSmallFile(output, signature, { force: parsed.on("force") })
      .catch((error) => {
        const isThere = error instanceof FileError && error.code === "EEXIST";
        throw isThere ? existing(output) : error;
      });
  }
  const key = wanted.key
    ? keyName(wanted.key.publicKey.id)
    : `gpg's key ${wanted.gpg}`;
  if (parsed.on("json")) {
    printJson({
      version: 1,
      file: path === "-" ? "standard input" : path,
      digest: `sha256:${digest}`,
      signature: output === "-" ? "standard output" : output,
      ...(wanted.key && { key }),
    }, output === "-" ? 2 : 1);
  } else if (output !== "-" && !parsed.on("quiet")) {
    printLines([`${output}: signature of ${path} by ${key}`]);
  }
}

/** A signature that is there already is somebody's work. */
function existing(output: string): FileError {
  return new FileError(
    `${output} is there already: --force replaces it, --output names another ` +
      "file",
    { code: "EEXIST" },
  );
}

async function wantedOf(parsed: Parsed): Promise<Wanted> {
  const words = [...parsed.words, ...parsed.rest ?? []];
  const [path = "-"] = words;
  if (words.length > 1) {
    throw new UsageError(
      `ciso sign takes one image, but here are ${words.length}`,
    );
  }
  const gpg = parsed.value("gpg");
  const keyFile = parsed.value("key");
  if ((gpg === undefined) === (keyFile === undefined)) {
    throw new UsageError(
      gpg === undefined
        ? "ciso sign needs --key FILE (ciso generate-key makes one) or --gpg KEY"
        : "--key and --gpg make two signatures: run ciso sign once for each",
    );
  }
  if (parsed.on("password-stdin")) {
    if (keyFile === undefined) {
      throw new UsageError("--password-stdin needs --key: gpg asks by itself");
    }
    if (path === "-") {
      throw new UsageError("Standard input can be read once only");
    }
  }
  if (path === "-" && host.isTerminal(0)) {
    throw new UsageError("There is no image: give a file, or pipe one in");
  }
  if (path !== "-" && host.isDirectory(path)) {
    throw new UsageError(
      `${path} is a directory: only a file can be signed, such as ciso convert ` +
        "makes of it",
    );
  }
  const suffix = gpg === undefined ? SUFFIX.bundle : SUFFIX.gpg;
  const output = parsed.value("output") ??
    (path === "-" ? "-" : `${path}${suffix}`);
  return {
    path,
    output,
    ...(gpg !== undefined && { gpg }),
    ...(keyFile !== undefined && {
      key: await privateKey(keyFile, parsed.on("password-stdin")),
    }),
  };
}

/** Makes the signature; an image that engines cannot read gets none. */
async function sign(
  { path, gpg, key }: Wanted,
  parsed: Parsed,
): Promise<Signed> {
  const name = path === "-" ? "standard input" : path;
  const bar = progressBar(parsed.on("quiet"), "signing", undefined);
  const onRead = (bytes: number) => bar?.add(bytes);
  let digest = "";
  let signature: Uint8Array | undefined;
  let input: Input | undefined;
  try {
    const check = async (bytes: Source) => {
      digest = await streamDigest(bytes, sha256(), onRead);
      if (gpg !== undefined) signature = await gpgSign(bytes, gpg);
    };
    input = await openInput(
      path === "-" ? undefined : path,
      unpackLimits(parsed),
      {
        check,
        copy: false,
      },
    );
    const claims = await imageClaims(input, onRead);
    if (key) {
      const file = { name: name.replace(/^.*[/\\]/, ""), digest };
      signature = utf8(await signImage(file, claims, key));
    }
    return { signature: signature!, digest };
  } catch (error) {
    throw ofFile(name, error);
  } finally {
    bar?.end();
    input?.close();
  }
}
