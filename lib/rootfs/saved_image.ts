import { utf8 } from "../streams/bytes.ts";
import type { Tree } from "./tree.ts";

/** How many bytes of a document are read; its signs are in its first lines. */
const HEAD = 1 << 12;

/** What an image is, and what to do with it. */
export interface SavedImage {
  name: string;
  remedy: string;
}

/** Reads the beginning of a document, if there is one. */
type Read = (path: string) => Promise<string | undefined>;

/** Tells whether documents are of skopeo's `dir:`, whose names are no layout's. */
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

/** Tells whether documents are of an image that has no layers, only a rootfs/. */
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

/**
 * Whether a tree is not a root file system, but an image that a tool has
 * saved: then it has the tool's documents at its top, and no engine could run
 * anything in it.
 *
 * @param tree The tree.
 * @returns What it is, such as "an OCI image layout", and what to do with it, or
 * `undefined`.
 */
export async function savedImage(
  tree: Tree,
): Promise<SavedImage | undefined> {
  const decoder = new TextDecoder();
  const read: Read = async (path) => {
    const file = await tree.files.read(utf8(path), HEAD);
    return file && decoder.decode(file.bytes);
  };
  const has = (path: string) => tree.index.find(utf8(path)) >= 0;
  const convert = "make an isoc of it with ciso convert";
  const manifest = await read("manifest.json");
  if (manifest && /^\s*\[/.test(manifest) && /"Layers"\s*:/.test(manifest)) {
    return { name: "a saved image (docker save)", remedy: convert };
  }
  if (has("oci-layout") && has("index.json")) {
    return { name: "a saved image (OCI image layout)", remedy: convert };
  }
  const skopeo = await skopeoDirectory(read);
  if (skopeo) return skopeo;
  const hasRootfs = has("rootfs");
  if (hasRootfs && (await read("manifest"))?.includes('"ImageManifest"')) {
    return { name: "a saved image (ACI)", remedy: convert };
  }
  const unpacked = await rootfsImage(hasRootfs, read);
  if (unpacked) return unpacked;
  const repositories = await read("repositories");
  if (repositories && /^\s*\{[^]*"[0-9a-f]{64}"/.test(repositories)) {
    return {
      name: "a saved image (Docker 1.9 or older)",
      remedy: "load it into a newer Docker and save it there, for ciso convert",
    };
  }
  return undefined;
}
