import { shownWord } from "../errors/shown.ts";
import { unlessRefused } from "../errors/refusal.ts";
import { imagePath } from "../read/image_path.ts";
import { hasUser, parseReference } from "../registry/reference.ts";
import { host } from "../system/host.ts";
import { named } from "./failure.ts";
import { UsageError } from "./usage_error.ts";

/** How other tools name images that are not files, and how to get at them. */
const TRANSPORTS = new Map<string, (rest: string) => string>([
  ["docker-daemon", (name) => `docker save ${name} | ciso convert -o FILE`],
  [
    "containers-storage",
    (name) => `podman save ${name} | ciso convert -o FILE`,
  ],
  ["docker-archive", (path) => `give the file alone: ciso convert ${path}`],
  ["oci-archive", (path) => `give the file alone: ciso convert ${path}`],
  ["oci", (path) => `give the directory alone: ciso convert ${path}`],
  [
    "dir",
    (path) =>
      `skopeo copy dir:${path} oci-archive:FILE.tar, then ciso convert FILE.tar`,
  ],
  ["http", (rest) => `curl -L http:${rest} | ciso …`],
  ["https", (rest) => `curl -L https:${rest} | ciso …`],
  ["file", (path) => `give the path alone: ${path.replace(/^\/\//, "")}`],
]);

/** The commands that take `docker://REFERENCE` beside files. */
const TAKES_REMOTE = new Set(["convert", "push"]);

/** Names of image files, which registries have hardly ever. */
const FILE_NAME =
  /\.(tar|tgz|tzst|txz|tbz2?|isoc|aci)(\.(gz|zst|xz|bz2))?(:[^/]*)?$/i;

/** Paths that no reference is: `./x`, `../x`, `/x`, `~/x`. */
const PATH = /^(\.{0,2}|~)\//;

/**
 * Whether a word can only mean an image in a registry: `me/app:1`,
 * `registry.example/app`, `app@sha256:…`. Such as `app` and `me/app` may be files.
 */
export function looksRemote(word: string): boolean {
  if (PATH.test(word) || FILE_NAME.test(word)) return false;
  if (!unlessRefused(() => parseReference(word))) return false;
  const [first = "", ...more] = word.split("/");
  return word.includes(":") ||
    more.length > 0 && first.includes(".") && !host.exists(first);
}

/**
 * Refuses words of other tools, `oci:…`, `https:…` and such, and references, which
 * are no files here; the message says what to do instead.
 *
 * @param word A word that is to be a file.
 * @param command The command's name.
 */
export function checkTransport(word: string, command: string): void {
  if (!word.includes(":") && !looksRemote(word)) return;
  if (host.exists(imagePath(word, host.exists).path)) return;
  refuseUser(word);
  const [, scheme = "", rest = ""] = /^([a-z-]+):(.+)$/s.exec(word) ?? [];
  const plain = rest.replace(/^\/\//, "");
  // Other commands may take images of registries.
  if (scheme === "docker" && command === "build") {
    throw new UsageError(
      `${shownWord(word)} is an image in a registry, not a root file system: ` +
        `ciso convert docker://${shownWord(plain)}, or ciso build --from`,
    );
  }
  if (scheme === "docker" && !TAKES_REMOTE.has(command)) {
    throw new UsageError(
      `${shownWord(word)} is not a file: ciso pull ${
        shownWord(plain)
      } -o FILE, then ciso ${command} FILE`,
    );
  }
  if (scheme === "docker") {
    if (rest.startsWith("//")) return;
    throw new UsageError(
      `${shownWord(word)} is not a file: write docker://${shownWord(rest)}`,
    );
  }
  const remedy = otherRemedy(word);
  if (remedy !== undefined) {
    throw new UsageError(`${shownWord(word)} is not a file: ${remedy}`);
  }
  if (looksRemote(word)) {
    throw notHere(
      word,
      TAKES_REMOTE.has(command)
        ? `write docker://${word}`
        : `fetch it: ciso pull ${word} -o FILE`,
    );
  }
}

/** How to get at what a word of another tool names, such as `oci:DIR`. */
export function otherRemedy(word: string): string | undefined {
  const [, scheme = "", rest = ""] = /^([a-z-]+):(.+)$/s.exec(word) ?? [];
  return TRANSPORTS.get(scheme)?.(shownWord(rest));
}

/**
 * Refuses the words of `ciso push` in the wrong order.
 *
 * @param word What is to be the image.
 * @param target Where it is to go.
 */
export function checkOrder(word: string, target: string): void {
  if (word === "-" || word.startsWith("docker://") || !host.exists(target)) {
    return;
  }
  if (host.exists(imagePath(word, host.exists).path)) return;
  throw new UsageError(
    `The image comes first: ciso push ${shownWord(target)} ${shownWord(word)}`,
  );
}

/** Refuses a word with a password in it, before a message shows it. */
function refuseUser(word: string): void {
  if (hasUser(word)) named(undefined, () => parseReference(word));
}

/** The error for a word that looks like an image in a registry. */
function notHere(word: string, remedy: string): UsageError {
  return new UsageError(
    `There is no file ${
      shownWord(word)
    }; where it is an image in a registry, ${remedy}`,
  );
}

/**
 * Refuses a word of `ciso copy` that may be meant as an image in a registry.
 *
 * @param word A word without a kind such as `oci:`.
 * @param isTarget Whether it is to be written.
 */
export function checkPlace(word: string, isTarget: boolean): void {
  if (host.exists(imagePath(word, host.exists).path)) return;
  refuseUser(word);
  if (!looksRemote(word)) return;
  if (!isTarget) throw notHere(word, `write docker://${word}`);
  throw new UsageError(
    `${word} may be an image in a registry or a file: write docker://${word}, ` +
      `or ./${word}`,
  );
}

/**
 * Refuses a file, or a word of another tool, where an image in a registry is
 * asked for.
 *
 * @param word What is to be a reference.
 * @param remedy What takes such a word instead.
 */
export function checkReference(
  word: string,
  remedy: (word: string) => string,
): void {
  const isForeign = otherRemedy(word) !== undefined && !/^https?:/.test(word);
  const isFile = PATH.test(word) ||
    !word.includes("/") && FILE_NAME.test(word);
  if (!isForeign && !isFile) return;
  throw new UsageError(
    `${shownWord(word)} is no image in a registry, such as ` +
      `localhost:5000/me/app:1.0: ${remedy(word)}`,
  );
}
