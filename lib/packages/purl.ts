import type { Distribution, FoundPackage } from "./package.ts";

/**
 * A package's URL (github.com/package-url/purl-spec, and its types).
 *
 * @param distribution Of the image; it names deb, apk and rpm packages.
 */
export function purlOf(
  found: FoundPackage,
  distribution: Distribution | undefined,
): string {
  const { type, namespace, name, version, architecture } = found;
  if (type !== "deb" && type !== "apk" && type !== "rpm") {
    return purl({ type, namespace, name: normalName(found), version });
  }
  const { id, version: release } = distribution ?? { id: undefined };
  // rpm's epoch is a qualifier, Debian's is in the version.
  const [, epoch, rest] = type === "rpm"
    ? /^(\d+):(.*)$/s.exec(version) ?? []
    : [];
  return purl({
    type,
    namespace: id ??
      (type === "deb" ? "debian" : type === "apk" ? "alpine" : undefined),
    name: type === "rpm" ? name : name.toLowerCase(),
    version: rest ?? version,
    qualifiers: [
      ["arch", architecture],
      ["distro", id && (release ? `${id}-${release}` : id)],
      ["epoch", epoch],
    ],
  });
}

/** What a package URL says. */
export interface PurlParts {
  type: string;
  namespace?: string | undefined;
  name: string;
  version?: string | undefined;
  /** In the order of their names; those without a value are left out. */
  qualifiers?: readonly (readonly [name: string, value: string | undefined])[];
}

/** A package URL of its parts. */
export function purl(
  { type, namespace, name, version, qualifiers = [] }: PurlParts,
): string {
  const spaces = (namespace ?? "").split("/").filter((part) => part !== "");
  const path = [type, ...spaces.map(encoded), encoded(name)].join("/");
  const pairs = qualifiers.filter(([, value]) => value).map(([key, value]) =>
    `${key}=${encoded(value!)}`
  );
  return `pkg:${path}${version === undefined ? "" : `@${encoded(version)}`}${
    pairs.length === 0 ? "" : `?${pairs.join("&")}`
  }`;
}

/** PyPI and Composer have one form of each name. */
function normalName({ type, name }: FoundPackage): string {
  if (type === "pypi") return name.toLowerCase().replace(/[-_.]+/g, "-");
  return type === "composer" ? name.toLowerCase() : name;
}

/** Percent-encoded: all but letters, digits and `. - _ ~ :`. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  ).replaceAll("%3A", ":");
}
