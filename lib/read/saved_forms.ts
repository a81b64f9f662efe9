/** What an image is, and what to do with it. */
export interface SavedImage {
  name: string;
  remedy: string;
}

/** Reads the beginning of a document, if there is one. */
export type Read = (path: string) => Promise<string | undefined>;

/** Whether documents are of skopeo's `dir:`, whose names are no layout's. */
export async function skopeoDirectory(
  read: Read,
): Promise<SavedImage | undefined> {
  const version = await read("version");
  if (!version?.startsWith("Directory Transport Version:")) return undefined;
  return {
    name: "a saved image (skopeo's dir:)",
    remedy: "skopeo copy dir:DIR oci-archive:FILE.tar makes a file of it for " +
      "ciso convert",
  };
}

/** Whether documents are of an image that has no layers, only a rootfs/. */
export async function rootfsImage(
  hasRootfs: boolean,
  read: Read,
): Promise<SavedImage | undefined> {
  const remedy =
    "unpack it, if it is a tar, and give the directory rootfs in it";
  if (hasRootfs && (await read("config.json"))?.includes('"ociVersion"')) {
    return { name: "a runtime bundle", remedy };
  }
  const metadata = await read("metadata.yaml");
  return metadata && /["']?creation_date["']?\s*:/.test(metadata)
    ? { name: "an image of LXD or Incus", remedy }
    : undefined;
}
