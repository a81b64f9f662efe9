import { shownWord } from "../errors/shown.ts";
import { imagePath } from "../read/image_path.ts";
import { parseReference, type Reference } from "../registry/reference.ts";
import { host } from "../system/host.ts";
import { named } from "./failure.ts";
import { UsageError } from "./usage_error.ts";

/** Where an image is, or goes, in the words of skopeo. */
export type ImagePlace =
  | { kind: "docker"; reference: Reference }
  | {
    /** A plain path has no kind of its own: `file`. */
    kind: "oci" | "oci-archive" | "docker-archive" | "file";
    path: string;
    /** The image's name or tag there. */
    name?: string;
  };

const KINDS = new Set(["oci", "oci-archive", "docker-archive"] as const);
/** What skopeo knows beside these. */
const OTHERS = new Set([
  "containers-storage",
  "dir",
  "docker",
  "docker-daemon",
  "ostree",
  "sif",
  "http",
  "https",
]);
type FileKind = typeof KINDS extends Set<infer K> ? K : never;

/**
 * Reads a word such as `docker://REFERENCE`, `oci:DIR[:TAG]`,
 * `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]` or a path.
 *
 * @throws {UsageError} If it is not one of these.
 */
export function imagePlace(word: string): ImagePlace {
  if (word.startsWith("docker://")) {
    return {
      kind: "docker",
      reference: named(undefined, () => parseReference(word)),
    };
  }
  const [, prefix = "", rest = ""] = /^([a-z-]+):(.*)$/s.exec(word) ?? [];
  if (isFileKind(prefix)) {
    if (rest === "") throw new UsageError(`${word} needs a path`);
    return { kind: prefix, ...pathAndName(rest) };
  }
  if (OTHERS.has(prefix) && !host.exists(word)) {
    throw new UsageError(
      `${shownWord(word)}: ciso knows docker://, oci:, oci-archive:, ` +
        `docker-archive: and paths, but not ${prefix}:` +
        (prefix === "docker" ? `; write docker://${shownWord(rest)}` : ""),
    );
  }
  return { kind: "file", ...imagePath(word, host.exists) };
}

function isFileKind(word: string): word is FileKind {
  return (KINDS as ReadonlySet<string>).has(word);
}

/** Of a path that is not there yet, the first colon ends it. */
function pathAndName(text: string): { path: string; name?: string } {
  const found = imagePath(text, host.exists);
  if (found.name !== undefined || host.exists(found.path)) return found;
  const [, path, name] = /^([^:]+):(.+)$/s.exec(text) ?? [];
  return path && name ? { path, name } : { path: text };
}
