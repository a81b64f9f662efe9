import { shown } from "../errors/shown.ts";

/** What an image is, and what to do with it. */
export interface SavedImage {
  name: string;
  remedy: string;
}

/** Reads the beginning of a document, if there is one. */
export type Read = (path: string) => Promise<string | undefined>;

/** Tells whether there is such a file or directory. */
export type Has = (path: string) => boolean | Promise<boolean>;

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
function isRepositories(repositories: string): boolean {
  return /^\s*\{[^]*"[0-9a-f]{64}"/.test(repositories);
}

/** What a saved image is; `undefined` if it is none. */
export async function savedForm(
  read: Read,
  has: Has,
): Promise<string | undefined> {
  const manifest = await read("manifest.json");
  if (manifest && /^\s*\[/.test(manifest) && /"Layers"\s*:/.test(manifest)) {
    return "a saved image (docker save)";
  }
  if (await has("oci-layout") && await has("index.json")) {
    return "a saved image (OCI image layout)";
  }
  if (skopeoVersion(await read("version"))) {
    return "a saved image (skopeo's dir:)";
  }
  const hasRootfs = await has("rootfs");
  if (hasRootfs && (await read("manifest"))?.includes('"ImageManifest"')) {
    return "a saved image (ACI)";
  }
  if (hasRootfs && isRuntimeConfig(await read("config.json") ?? "")) {
    return "a runtime bundle";
  }
  if (isLxdMetadata(await read("metadata.yaml") ?? "")) {
    return "an image of LXD or Incus";
  }
  return isRepositories(await read("repositories") ?? "")
    ? "a saved image (Docker 1.9 or older)"
    : undefined;
}

/**
 * Looks for a saved image in the only directory of an archive.
 *
 * @param directory Its name, if there is one.
 */
export async function savedBelow(
  directory: string | undefined,
  read: Read,
  has: Has,
): Promise<SavedImage | undefined> {
  if (directory === undefined) return undefined;
  const name = await savedForm(
    (path) => read(`${directory}/${path}`),
    (path) => has(`${directory}/${path}`),
  );
  return name === undefined ? undefined : {
    name: `${name} below the directory ${shown(directory)}`,
    remedy: "archive what is in that directory, such as with tar -c -C " +
      `${shown(directory)} ., and make an isoc of that with ciso convert`,
  };
}
