import { utf8 } from "../streams/bytes.ts";
import {
  type Read,
  rootfsImage,
  type SavedImage,
  skopeoDirectory,
} from "../read/saved_forms.ts";
import type { Tree } from "./tree.ts";

/** How many bytes of a document are read; its signs are in its first lines. */
const HEAD = 1 << 12;

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
