import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { EMPTY_DIGEST } from "../streams/sha256.ts";
import type { SeekableTar } from "../tar/seeking.ts";
import type { Holes } from "./holes.ts";
import type { LayerOptions, LayerTree } from "./layer_tree.ts";
import type { RootfsTree } from "./rootfs_tree.ts";
import type { Scan, ScanOptions } from "./scan.ts";
import type { Tree } from "./tree.ts";

/** One of an image's layers, to be read. */
export interface LayerInput {
  /** The layer as an uncompressed tar. */
  source: SeekableTar;
  /** What messages call it. */
  name: string;
  /** SHA-256 that it must have, in hex, where its image says one. */
  diffId?: string | undefined;
  /**
   * Whether it is a tree, such as an ACI's: names that start with `.wh.` delete
   * nothing there.
   */
  aci?: boolean | undefined;
  /** Only what is below this directory counts. */
  root?: string | undefined;
  /** Absolute paths of the files that an ACI shows, where it hides others. */
  visible?: string[] | undefined;
  /** Whether it comes with an image: then it stays as it is where it can. */
  fromImage?: boolean | undefined;
  /** Leave out files that the layers below have already. */
  dedupe?: boolean | undefined;
  /**
   * Gets the tree of the layers below, before the layer is read. A layer without
   * entries is then none.
   */
  onBelow?: ((below: RootfsTree) => void) | undefined;
}

/** Reads a layer, which must be the one that its image says. */
export async function scanInput<T extends Tree>(
  { fromImage = false, diffId }: LayerInput,
  options: ScanOptions,
  scan: (options: ScanOptions) => Promise<Scan<T>>,
): Promise<Scan<T>> {
  const scanned = await scan({
    ...options,
    stopsAtEnd: fromImage,
    noDigest: diffId === undefined,
    // Engines take a layer of no bytes, if its image says that it has none.
    mayBeEmpty: diffId === EMPTY_DIGEST,
  });
  if (diffId && diffId !== scanned.input.digest) {
    throw new InputError(
      `It is damaged: its digest is sha256:${scanned.input.digest}, but the ` +
        `image says sha256:${diffId}; fetch the image again`,
    );
  }
  return scanned;
}

/** How a layer takes its entries. */
export function layerOptions(
  { aci, root, visible, fromImage, dedupe }: LayerInput,
  holes: Holes,
): LayerOptions {
  return {
    holes,
    whiteouts: !aci,
    keepMissing: fromImage,
    dedupe,
    ...(root !== undefined && { strip: root }),
    ...(visible && { only: new Set(visible) }),
  };
}

/** Tells of directories that Docker makes anew. */
export function* missingNote(
  name: string,
  { missingBelow }: LayerTree,
): Generator<string> {
  const [first] = missingBelow.values();
  if (!first) return;
  yield `${name} has no entry for the directory ${shown(first.path)}` +
    `${
      missingBelow.size > 1 ? ` and ${missingBelow.size - 1} more` : ""
    }: Docker gives it ` +
    "mode 0755 and owner root, other engines keep what lower layers say";
}
