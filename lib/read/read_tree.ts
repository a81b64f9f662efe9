import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { unlessRefused } from "../errors/refusal.ts";
import { utf8 } from "../streams/bytes.ts";
import { normalizePath } from "../tar/path.ts";
import { type ImageFiles, readDocument } from "./image_files.ts";
import { readLxdImage } from "./read_lxd.ts";
import { readRuntimeConfig } from "./read_runtime.ts";
import { isLxdMetadata, isRuntimeConfig } from "./saved_forms.ts";
import type { StoredImage, StoredLayer } from "./stored_image.ts";

/**
 * Reads an image that is a tree of files beside a document: an OCI runtime
 * bundle, or an image of LXD or Incus. Where both documents are there, the
 * bundle's says what runs.
 *
 * @param files The files.
 * @returns `undefined` if they are neither.
 * @throws {InputError} If a document is malformed, or the tree is missing.
 */
export async function readTree(
  files: ImageFiles,
): Promise<StoredImage | undefined> {
  const config = await readDocument(files, "config.json");
  const bundle = config !== undefined && isRuntimeConfig(config)
    ? readRuntimeConfig(config)
    : undefined;
  const metadata = await readDocument(files, "metadata.yaml");
  const lxd = metadata !== undefined && isLxdMetadata(metadata)
    ? readLxdImage(metadata)
    : undefined;
  if (!bundle && !lxd) return undefined;
  const names = lxd && lxd.names.length > 0 ? lxd.names : bundle?.names ?? [];
  const image = {
    base: {
      fields: {
        ...lxd?.fields,
        ...bundle?.fields,
        ...(lxd?.fields.labels || bundle?.fields.labels) && {
          labels: { ...lxd?.fields.labels, ...bundle?.fields.labels },
        },
      },
    },
    names,
    notes: [...lxd?.notes ?? [], ...bundle?.notes ?? []],
  };
  const root = rootOf(bundle?.root ?? "rootfs");
  const tree = await treeLayer(files, root);
  if (tree) {
    const notes = [...image.notes, ...tree.notes];
    return { ...image, notes, layers: [tree.layer] };
  }
  if (bundle) {
    throw new InputError(
      `It is a runtime bundle, but its root ${shown(root)} is missing`,
    );
  }
  return {
    ...image,
    layers: [],
    lacks: "It is the metadata of an image of LXD or Incus, whose files are " +
      "in a second file: ciso convert METADATA ROOTFS takes both",
  };
}

/** The directory of the files, which must be inside. */
function rootOf(path: string): string {
  const root = path.startsWith("/")
    ? undefined
    : unlessRefused(() => normalizePath(utf8(path)));
  if (root && root.length > 0) return new TextDecoder().decode(root);
  throw new InputError(
    `config.json: root.path is ${shown(path)}, which is not inside the ` +
      "bundle: give that directory itself to ciso build",
  );
}

/**
 * A directory of the files as a layer.
 *
 * @returns `undefined` if there is no such directory.
 */
export async function treeLayer(
  files: ImageFiles,
  root: string,
): Promise<{ layer: StoredLayer; notes: readonly string[] } | undefined> {
  if (files.openTree) {
    const source = await files.openTree(root);
    return source && { layer: { source, aci: true }, notes: source.notes };
  }
  const isThere = root === "rootfs"
    ? files.hasRootfs
    : files.top?.has(root.split("/")[0]!);
  const source = isThere ? await files.open("") : undefined;
  return source && { layer: { source, aci: true, root }, notes: [] };
}
