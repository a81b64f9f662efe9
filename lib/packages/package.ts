/** What manages a package: the type of its package URL. */
export const PACKAGE_TYPES = [
  "deb",
  "apk",
  "rpm",
  "npm",
  "pypi",
  "golang",
  "composer",
  "gem",
  "cargo",
] as const;

/** One of {@linkcode PACKAGE_TYPES}. */
export type PackageType = (typeof PACKAGE_TYPES)[number];

/** A package, as a file of the image names it. */
export interface FoundPackage {
  type: PackageType;
  /** npm's scope, Go's path before the last slash, Composer's vendor. */
  namespace?: string;
  name: string;
  /** The version, with a Debian or rpm epoch in front where there is one. */
  version: string;
  /** As the package database writes it, such as `amd64` or `noarch`. */
  architecture?: string;
  /** An SPDX licence expression. */
  licence?: string;
  /** Who maintains or sells it: a name, and an address in `<>`. */
  supplier?: string;
  homepage?: string;
  /** The source package that it was built from. */
  source?: { name: string; version: string };
  /** Paths of its files, where the database has them and they are asked for. */
  files?: string[];
}

/** A package of an image. */
export interface Package extends FoundPackage {
  /** The package URL, which no other package of the image has. */
  purl: string;
  /** The layer that brought it, counted from 1. */
  layer: number;
  /** The files that name it, a few of very many. */
  paths: string[];
}

/** What an image's os-release says. */
export interface Distribution {
  /** Such as `debian`. */
  id: string;
  /** Such as `12`. */
  version?: string;
  /** For people, such as `Debian GNU/Linux 12 (bookworm)`. */
  name?: string;
}

/** What is known of an image's packages. */
export interface PackageList {
  distribution?: Distribution;
  /** In the order of their types, names and versions. */
  packages: Package[];
  /** Which files could not be read, and what to do about it, in sentences. */
  warnings: string[];
}

/** Characters of a name, a version and the like at most: more is no such. */
const MAX_TEXT = 1024;

/** A text of a database if it can be a name, a version or the like. */
export function fact(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.trim().toWellFormed();
  return text !== "" && text.length <= MAX_TEXT ? text : undefined;
}

/** Those of some facts that are known. */
export function known<T extends object>(
  facts: { [K in keyof T]: T[K] | undefined },
): Partial<T> {
  const found = Object.entries(facts).filter(([, value]) =>
    value !== undefined
  );
  return Object.fromEntries(found) as Partial<T>;
}

/** Orders texts by their UTF-16 units: the same in all languages and runtimes. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
