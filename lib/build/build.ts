import { DescriptionError } from "../errors/description_error.ts";
import { changedLayer } from "../rootfs/changed_layer.ts";
import {
  DEFAULT_ARCHITECTURE,
  type ImageDescription,
} from "../rootfs/facts.ts";
import {
  type LayerInput,
  type LayerOutput,
  readLayers,
  type Spool,
  type Stack,
} from "../rootfs/layer_stack.ts";
import {
  type RootfsScan,
  type ScanOptions,
  scanRootfs,
} from "../rootfs/scan.ts";
import { fromStream, type Source, toStream } from "../streams/source.ts";
import {
  type SpooledSource,
  spoolToMemory,
  type StreamSpool,
} from "../streams/spool.ts";
import { SKIP_HEADER } from "../tar/skip_header.ts";
import { assemble, type Assembled } from "./assemble.ts";
import { checkBase } from "./base_image.ts";
import { type IsocDescription, withTime } from "./created.ts";
import { withView } from "./containerd_view.ts";
import { checkDocuments } from "./documents.ts";
import type { ArchiveOptions, BuiltLayer, Isoc } from "./isoc.ts";

/** How {@linkcode build} makes an isoc. */
export interface BuildOptions extends ArchiveOptions {
  /**
   * Holds each layer that cannot stay as it is, if there are several:
   * {@linkcode spoolToMemory} unless given, which costs as much memory as the
   * layer has bytes. `spoolToFile` of `@isoc/isoc/node` costs none.
   */
  spool?: StreamSpool;
}

/**
 * Makes an isoc: one tar that Docker, podman, containerd, skopeo, rkt, runc, LXD and
 * Incus each take as their own image.
 *
 * A rootfs is read once here, to check and hash it, and twice while the archive is
 * streamed: once for the files below `rootfs/`, once for the layer. Memory stays flat
 * whatever its size. Of several layers, what they make together goes below `rootfs/`.
 *
 * @param input The rootfs, or the layers, lowest first; each an uncompressed tar. A
 * `Blob` will do.
 * @param description What the image says about itself and its command.
 * @returns The isoc, its documents made and its size known, to be streamed.
 * @throws {DescriptionError} If the image description breaks a rule of a format.
 * @throws {InputError} If an input is no tar, or holds what no rootfs or layer may;
 * the message names the entry.
 *
 * @example A rootfs
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
 *   created: new Date("2015-06-09T12:00:00Z"),
 * });
 * let size = 0;
 * for await (const chunk of isoc.stream()) size += chunk.length;
 * assert.equal(size, isoc.size);
 * ```
 *
 * @example Several layers
 * ```ts
 * import { build } from "@isoc/isoc";
 * import assert from "node:assert/strict";
 *
 * const tar = async (folder: string) => {
 *   const args = ["-c", "-C", folder, "."];
 *   const { stdout } = await new Deno.Command("tar", { args }).output();
 *   return new Blob([stdout]);
 * };
 * const isoc = await build([await tar("lib"), await tar("tests")], {
 *   names: ["isoc/layers"],
 *   command: ["/bin/sh"],
 * });
 * assert.equal(isoc.layers.length, 2);
 * ```
 */
export async function build(
  input: Source | readonly Source[],
  description: IsocDescription,
  options: BuildOptions = {},
): Promise<Isoc> {
  const image = withTime(description);
  if (!isList(input)) return await buildRootfs(input, image, options);
  const layers = input.map((source, i) => ({ source, name: `layer ${i + 1}` }));
  const { spool, close } = layerSpool(options.spool);
  try {
    return { ...await buildLayers(layers, image, spool, options), close };
  } catch (error) {
    close();
    throw error;
  }
}

function isList(input: Source | readonly Source[]): input is readonly Source[] {
  return Array.isArray(input);
}

/** A spool for layers, and what lets go of all that it holds. */
export function layerSpool(
  spool: StreamSpool = spoolToMemory,
): { spool: Spool; close: () => void } {
  const kept: SpooledSource[] = [];
  return {
    async spool(chunks) {
      const source = await spool(toStream(chunks));
      kept.push(source);
      return source;
    },
    close: () => kept.splice(0).forEach((source) => source.close?.()),
  };
}

/** As {@linkcode build}, of a rootfs. */
async function buildRootfs(
  source: Source,
  description: ImageDescription,
  options: ArchiveOptions,
): Promise<Isoc> {
  checkDescription(description);
  const scanned = await scanRootfs(source, scanOptions(options));
  const stack = stackOf(scanned);
  return isocOf(stack, await assemble(stack, description, options));
}

/** A rootfs alone as a stack of layers. */
export function stackOf(scanned: RootfsScan): Stack {
  const { source, layer, changes, tree } = scanned;
  return {
    ...scanned,
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
}

/**
 * Makes an isoc archive of several layers, as {@linkcode build} does of one
 * rootfs. The layers go into the archive as they are; what they make
 * together goes below `rootfs/`.
 *
 * @param inputs The layers, lowest first, each an uncompressed tar.
 * @param description What the image says about itself and its command.
 * @param spool Holds each layer that cannot stay as it is.
 * @returns The archive, to be streamed.
 * @throws {DescriptionError} If the image description breaks a rule of a format.
 * @throws {InputError} If a layer is no tar, cannot be a layer, or is damaged.
 */
export async function buildLayers(
  inputs: LayerInput[],
  description: ImageDescription,
  spool: Spool,
  options: ArchiveOptions = {},
): Promise<Isoc> {
  checkLayers(inputs, description);
  const stack = await readLayers(
    inputs,
    scanOptions(options),
    spool,
  );
  return isocOf(stack, await assemble(stack, description, options));
}

/** As {@linkcode checkDescription}, of an image that needs a layer. */
export function checkLayers(
  inputs: readonly LayerInput[],
  description: ImageDescription,
): void {
  if (inputs.length === 0) throw new DescriptionError("An image needs a layer");
  checkDescription(description);
}

/** The archive as its maker sees it. */
export function isocOf(
  { layers, entries }: Stack,
  assembled: Assembled,
): Isoc {
  const { archive, view, image, made, faces, notes } = assembled;
  return {
    size: archive.size + (view ? SKIP_HEADER : 0),
    imageId: made.imageId,
    manifestDigest: made.manifestDigest,
    image,
    layers: builtLayers(layers),
    ...platformsOf(layers, assembled),
    notes,
    entries,
    faces,
    stream: () =>
      toStream(
        view ? withView(archive, view.archive, view.zstd) : archive.chunks(),
      ),
    close() {},
  };
}

/** What the maker of an archive with several platforms sees of them. */
function platformsOf(
  layers: LayerOutput[],
  { platforms, others = [] }: Assembled,
): Pick<Isoc, "platforms" | "indexDigest"> {
  if (!platforms) return {};
  return {
    indexDigest: platforms.indexDigest,
    platforms: platforms.all.map((one) => {
      const { image, made } = one;
      const { os = "linux", architecture, variant } = image;
      const other = others.find((other) => other === one);
      return {
        os,
        architecture,
        ...(variant && { variant }),
        imageId: made.imageId,
        manifestDigest: made.manifestDigest,
        layers: builtLayers(other?.layers ?? layers),
        isPrimary: other === undefined,
      };
    }),
  };
}

function builtLayers(layers: LayerOutput[]): BuiltLayer[] {
  return layers.map(({ layer, changes }) => ({ ...layer, changes }));
}

/**
 * Refuses a wrong description before gigabytes are read.
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

/** What the scan needs to know. */
export function scanOptions(
  { allowWhiteouts, maxUnpacked, onRead }: ArchiveOptions,
): ScanOptions {
  return { allowWhiteouts, maxUnpacked, onRead };
}
