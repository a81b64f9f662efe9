import {
  type OpenPgpSignature,
  readVerdict,
  signFailure,
} from "../sign/openpgp.ts";
import { fromStream, type Source } from "../streams/source.ts";
import { host } from "../system/host.ts";
import { openTemporary } from "../system/new_directory.ts";
import { collect } from "../system/programs.ts";
import { writeOutput } from "./output.ts";

/**
 * Has the user's gpg sign bytes.
 *
 * @param bytes What is signed.
 * @param key The key, by a name that gpg knows.
 * @returns A detached signature with armour.
 * @throws {InputError} If gpg makes none.
 */
export async function gpgSign(bytes: Source, key: string): Promise<Uint8Array> {
  const args = ["--batch", "--status-fd", "2", "--local-user", key];
  args.push("--armor", "--output", "-", "--detach-sign", "-");
  const terminal = host.envIfSet("GPG_TTY") === undefined
    ? host.terminalPath()
    : undefined;
  const { code, stdout, stderr } = await collect(
    "gpg",
    args,
    fromStream(bytes.stream()),
    // gpg's standard input is the image, so it cannot see where to ask.
    terminal === undefined ? {} : { environment: { GPG_TTY: terminal } },
  );
  const isSigned = stderr.includes("[GNUPG:] SIG_CREATED ");
  if (code !== 0 || !isSigned || stdout.length === 0) {
    throw signFailure(key, stderr);
  }
  return stdout;
}

/**
 * Has gpgv check a signature.
 *
 * @param bytes What was signed.
 * @param signature The signature file.
 * @param keys The keys that are trusted, without armour.
 * @throws {InputError} If none of these keys has signed it.
 */
export async function gpgVerify(
  bytes: Source,
  signature: Uint8Array,
  keys: Uint8Array,
): Promise<OpenPgpSignature> {
  const directory = openTemporary();
  try {
    const files = [
      [`${directory.path}/keyring`, keys],
      [`${directory.path}/signature`, signature],
    ] as const;
    for (const [path, content] of files) {
      await writeOutput(new Blob([content.slice()]).stream(), path, {
        noFsync: true,
      });
    }
    const [[keyringPath], [signaturePath]] = files;
    const args = ["--status-fd", "1", "--keyring", keyringPath];
    const { code, stdout, stderr } = await collect(
      "gpgv",
      [...args, signaturePath, "-"],
      fromStream(bytes.stream()),
    );
    return readVerdict(new TextDecoder().decode(stdout), code, stderr);
  } finally {
    directory.remove();
  }
}
