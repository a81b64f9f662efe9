import type { PackageList } from "./package.ts";

/** A file of an image, with its digests. */
export interface SbomFile {
  /** Its path, without a slash at its start. */
  path: string;
  sha1: string;
  sha256: string;
  /** The URL of the package that it belongs to. */
  owner?: string;
}

/** The image that an SBOM is about. */
export interface SbomSubject {
  /** Its names, such as `isoc/hello:1.0`. */
  names: readonly string[];
  /** Digest of its image manifest, such as `sha256:…`; else of its config. */
  digest?: string | undefined;
  /** Whether the digest is that of an image manifest. */
  isManifest: boolean;
  architecture?: string | undefined;
  /** Diff IDs of its layers, where they are known. */
  layers: readonly (string | undefined)[];
  /** RFC 3339, to the second. */
  time: string;
  list: PackageList;
  files?: readonly SbomFile[] | undefined;
  /** The version of ciso. */
  version: string;
}
