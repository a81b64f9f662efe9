import { utf8 } from "../streams/bytes.ts";
import {
  isLxdMetadata,
  isRepositories,
  isRuntimeConfig,
  type Read,
  type SavedImage,
  skopeoVersion,
} from "../read/saved_forms.ts";
import type { Tree } from "./tree.ts";

/** How many bytes of a document are read; its signs are in its first lines. */
const HEAD = 1 << 12;

/** What makes an isoc of a saved image. */
const REMEDY = "make an isoc of it with ciso convert";

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
  const name = await formOf(read, has);
  return name === undefined ? undefined : { name, remedy: REMEDY };
}

/** What a saved image is; `undefined` if it is none. */
async function formOf(
  read: Read,
  has: (path: string) => boolean,
): Promise<string | undefined> {
  const manifest = await read("manifest.json");
  if (manifest && /^\s*\[/.test(manifest) && /"Layers"\s*:/.test(manifest)) {
    return "a saved image (docker save)";
  }
  if (has("oci-layout") && has("index.json")) {
    return "a saved image (OCI image layout)";
  }
  if (skopeoVersion(await read("version"))) {
    return "a saved image (skopeo's dir:)";
  }
  const hasRootfs = has("rootfs");
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
