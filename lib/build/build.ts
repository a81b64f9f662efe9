import { DescriptionError } from "../errors/description_error.ts";
import { assemble, type Assembled } from "./assemble.ts";
import { checkBase } from "./base_image.ts";
import { checkDocuments } from "./documents.ts";
import type { Layer } from "../image/layer.ts";
import type { Face } from "../image/face.ts";
import type { Image } from "../image/image.ts";
import {
  type LayerInput,
  readLayers,
  type Spool,
  type Stack,
} from "../rootfs/layer_stack.ts";
import {
  DEFAULT_ARCHITECTURE,
  type ImageDescription,
} from "../rootfs/facts.ts";
import { changedLayer, type ScanOptions, scanRootfs } from "../rootfs/scan.ts";
import { fromStream, type Source, toStream } from "../streams/source.ts";
import type { LayerChange } from "../rootfs/layer_change.ts";

/** How {@linkcode build} makes an archive. */
export interface BuildOptions {
  /**
   * The engines' parts that the archive has; all of them unless given. Without
   * `appc`, `bundle` and `lxd` there is no rootfs/, and the archive is half as
   * large.
   */
  faces?: readonly Face[];
  /** Puts nothing below rootfs/ that the input does not have. */
  pristine?: boolean;
  /** Take names that start with `.wh.` as ordinary files. */
  allowWhiteouts?: boolean;
  /**
   * Bytes at most that sparse files may grow by when their holes are filled, as
   * they are below rootfs/; 32 GiB unless given.
   */
  maxUnpacked?: number;
  /** Is told how many more bytes of the input have been read by the scan. */
  onRead?: (bytes: number) => void;
}

/** A layer of an archive; its digest is the diff ID. */
export interface BuiltLayer extends Layer {
  /**
   * Why the layer is not the input byte for byte, each reason with the first
   * path that it is for. Empty when the layer is the input.
   */
  readonly changes: ReadonlyMap<LayerChange, string>;
}

/** An archive that is ready to be streamed. */
export interface Isoc {
  /** Size of the archive in bytes. */
  readonly size: number;
  /** SHA-256 of the image config, which is the image's ID in Docker. */
  readonly imageId: string;
  /** SHA-256 of the OCI image manifest. */
  readonly manifestDigest: string;
  /** The image as described, with what the rootfs told. */
  readonly image: Image;
  /** Its layers, lowest first. */
  readonly layers: readonly BuiltLayer[];
  /** What the user should know of, in sentences. */
  readonly notes: readonly string[];
  /** How many entries the input has. */
  readonly entries: number;
  /** The engines' parts that the archive has. */
  readonly faces: readonly Face[];
  /**
   * The archive's bytes. Can be called again while the source is there; each
   * call reads the source anew, and fails if the source is not the same any more.
   */
  stream(): ReadableStream<Uint8Array>;
}

/**
 * Makes an isoc archive of a rootfs tar: one tar that Docker, podman,
 * containerd, skopeo, rkt, runc, LXD and Incus each take as their own image.
 *
 * The source is read once here, to check and hash it, and twice while the
 * archive is streamed: once for the files below `rootfs/`, once for the layer.
 * Memory stays flat whatever the size of the source.
 *
 * @param source The rootfs, as an uncompressed tar. A `Blob` will do.
 * @param description What the image says about itself and its command.
 * @returns The archive, its documents made and its size known, to be streamed.
 * @throws {DescriptionError} If the image description breaks a rule of a format.
 * @throws {InputError} If the source is no tar, or holds what no rootfs may;
 * the message names the entry.
 *
 * @example
 * ```ts
 * import { build } from "@isoc/isoc";
 * import assert from "node:assert/strict";
 *
 * const { stdout } = await new Deno.Command("tar", {
 *   args: ["-c", "-C", "tests", "."],
 * }).output();
 * const isoc = await build(new Blob([stdout]), {
 *   names: ["isoc/tests:1.0"],
 *   command: ["/bin/sh"],
 *   created: 0,
 * });
 * let size = 0;
 * for await (const chunk of isoc.stream()) size += chunk.length;
 * assert.equal(size, isoc.size);
 * ```
 */
export async function build(
  source: Source,
  description: ImageDescription,
  options: BuildOptions = {},
): Promise<Isoc> {
  checkDescription(description);
  const scanned = await scanRootfs(source, scanOptions(description, options));
  const { layer, changes, tree } = scanned;
  const stack: Stack = {
    ...scanned,
    source,
    entries: tree.entries,
    layers: [{
      layer,
      changes,
      chunks: () =>
        changes.size > 0
          ? changedLayer(source, tree)
          : fromStream(source.stream()),
      isSteady: source.isSteady && changes.size === 0,
    }],
  };
  return isocOf(stack, await assemble(stack, description, options));
}

/**
 * Makes an isoc archive of several layers, as {@linkcode build} does of one
 * rootfs. The layers go into the archive as they are; below `rootfs/` stands
 * what they make together.
 *
 * @param inputs The layers, lowest first, each an uncompressed tar.
 * @param description What the image says about itself and its command.
 * @param spool Where a layer is kept that cannot stay as it is.
 * @returns The archive, to be streamed.
 * @throws {DescriptionError} If the image description breaks a rule of a format.
 * @throws {InputError} If a layer is no tar, cannot be a layer, or is damaged.
 */
export async function buildLayers(
  inputs: LayerInput[],
  description: ImageDescription,
  spool: Spool,
  options: BuildOptions = {},
): Promise<Isoc> {
  if (inputs.length === 0) throw new DescriptionError("An image needs a layer");
  checkDescription(description);
  const stack = await readLayers(
    inputs,
    scanOptions(description, options),
    spool,
  );
  return isocOf(stack, await assemble(stack, description, options));
}

/** The archive as its maker sees it. */
function isocOf(
  { layers, entries }: Stack,
  { archive, image, made, faces, notes }: Assembled,
): Isoc {
  return {
    size: archive.size,
    imageId: made.imageId,
    manifestDigest: made.manifestDigest,
    image,
    layers: layers.map(({ layer, changes }) => ({ ...layer, changes })),
    notes,
    entries,
    faces,
    stream: () => toStream(archive.chunks()),
  };
}

/**
 * Tells what is wrong with a description before gigabytes are read.
 *
 * @throws {DescriptionError} If it breaks a rule of a format.
 * @throws {DescriptionError} If a number in it is out of bounds.
 * @throws {InputError} If the base image is broken where it says nothing else.
 */
export function checkDescription(description: ImageDescription): void {
  checkBase(description);
  checkDocuments(
    {
      ...description,
      architecture: description.architecture ?? DEFAULT_ARCHITECTURE,
    },
    [{ digest: "0".repeat(64), size: 0 }],
    { ids: { uid: 0, gid: 0 } },
  );
}

function scanOptions(
  { created }: ImageDescription,
  { allowWhiteouts, maxUnpacked, onRead }: BuildOptions,
): ScanOptions {
  return { mtime: created, allowWhiteouts, maxUnpacked, onRead };
}
