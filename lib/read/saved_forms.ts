/** What an image is, and what to do with it. */
export interface SavedImage {
  name: string;
  remedy: string;
}

/** Reads the beginning of a document, if there is one. */
export type Read = (path: string) => Promise<string | undefined>;

/** Whether a file `version` is of skopeo's `dir:`, whose names are no layout's. */
export function skopeoVersion(version: string | undefined): boolean {
  return version?.startsWith("Directory Transport Version:") === true;
}

/** Whether a file `config.json` is that of a runtime bundle. */
export function isRuntimeConfig(config: string): boolean {
  return /"ociVersion"\s*:/.test(config);
}

/** Whether a file `metadata.yaml` is that of an image of LXD or Incus. */
export function isLxdMetadata(metadata: string): boolean {
  return /(^|[\s{,])["']?creation_date["']?\s*:/.test(metadata);
}

/** Whether a file `repositories` is that of Docker 1.9 or older. */
export function isRepositories(repositories: string): boolean {
  return /^\s*\{[^]*"[0-9a-f]{64}"/.test(repositories);
}
