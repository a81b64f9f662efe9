import { parseUnset, unsetFields } from "../alter/unset_fields.ts";
import { FileError } from "../errors/file_error.ts";
import { DescriptionError } from "../errors/description_error.ts";
import { InputError } from "../errors/input_error.ts";
import { isName } from "../image/name.ts";
import type { ImageChoice } from "../read/choose_image.ts";
import type { StoredImage, StoredLayer } from "../read/stored_image.ts";
import { readImage } from "../read/read_image.ts";
import type { LayerInput } from "../rootfs/layer_stack.ts";
import {
  type Compression,
  compressionOf,
  LOOKED_AT,
} from "../streams/compression.ts";
import { digestChecked } from "../streams/digest_checked.ts";
import {
  fromStream,
  readAt,
  type Source,
  toStream,
} from "../streams/source.ts";
import { type SpooledSource, spoolToMemory } from "../streams/spool.ts";
import { buildLayers, type BuildOptions, layerSpool } from "./build.ts";
import { type IsocDescription, withTime } from "./created.ts";
import type { Isoc } from "./isoc.ts";
import { checkHasLayers, layerInput } from "./stored_layer.ts";

/** How {@linkcode convert} makes an isoc of an image file. */
export interface ConvertOptions extends BuildOptions {
  /** What the new image says instead of what the image file says. */
  description?: Partial<IsocDescription>;
  /**
   * What is taken away from what the image file says, before `description` comes:
   * `env=KEY`, `label=KEY`, `volume=PATH`, `port=PORT`, `entrypoint`, `cmd`,
   * `healthcheck`, `user`, `workdir`, `stopsignal`, `shell` or `onbuild`.
   */
  unset?: readonly string[];
  /** Which image to take of a file that has several. */
  choice?: ImageChoice;
  /**
   * Takes the compression off a layer. Unless given, the web's own
   * `DecompressionStream` does, which knows gzip alone; `decompress` of
   * `@isoc/isoc/node` knows zstd, xz and bzip2 too.
   */
  decompress?: Decompress;
}

/** Takes a compression off a stream of bytes. */
export type Decompress = (
  stream: ReadableStream<Uint8Array>,
  compression: Compression,
) => ReadableStream<Uint8Array>;

/**
 * Makes an isoc of an image file, with the same layers and configuration.
 *
 * @param source The image file, uncompressed: an isoc, what `docker save` or `podman
 * save` writes, a tar of an OCI image layout, of skopeo's `dir:` or of a runtime bundle,
 * an ACI, or an image of LXD or Incus. A `Blob` will do.
 * @returns The isoc, to be streamed.
 * @throws {InputError} If it is no image, or a layer is damaged.
 * @throws {DescriptionError} If the image has no name and `description` gives none, or
 * a field of it breaks a rule of a format.
 *
 * @example
 * ```ts
 * import { build, convert } from "@isoc/isoc";
 * import assert from "node:assert/strict";
 *
 * const { stdout } = await new Deno.Command("tar", {
 *   args: ["-c", "-C", "tests", "."],
 * }).output();
 * const old = await build(new Blob([stdout]), {
 *   names: ["isoc/tests:1.0"],
 *   command: ["/bin/sh"],
 * }, { faces: ["docker"] });
 * const saved = await new Response(old.stream()).blob();
 *
 * const isoc = await convert(saved, {
 *   description: { names: ["isoc/tests:2.0"] },
 * });
 * assert.equal(isoc.layers[0]!.digest, old.layers[0]!.digest);
 * isoc.close();
 * ```
 */
export async function convert(
  source: Source,
  options: ConvertOptions = {},
): Promise<Isoc> {
  const { choice, description = {}, decompress = gunzip, ...rest } = options;
  const what = (options.unset ?? []).map(parseUnset);
  const found = await readImage(source, choice);
  checkHasLayers(found);
  const { base, notes } = unsetFields(found.base, what);
  const stored = { ...found, base, notes: [...found.notes, ...notes] };
  const image = withTime(merged(stored, description));
  const { spool, close } = layerSpool(options.spool);
  const unpacked: SpooledSource[] = [];
  const closeAll = () => {
    close();
    unpacked.splice(0).forEach((source) => source.close?.());
  };
  try {
    const layers: LayerInput[] = [];
    for (const [i, layer] of stored.layers.entries()) {
      const name = `layer ${i + 1}`;
      const stream = await uncompressed(layer, name, decompress);
      if (stream) unpacked.push(await (options.spool ?? spoolToMemory)(stream));
      const source = stream ? unpacked.at(-1)! : layer.source;
      const isPacked = stream !== undefined;
      layers.push(layerInput(layer, { source, name, isPacked }));
    }
    const isoc = await buildLayers(layers, image, spool, rest);
    const notes = [...stored.notes, ...isoc.notes];
    return { ...isoc, notes, close: closeAll };
  } catch (error) {
    closeAll();
    throw error;
  }
}

/** What the image says, with the changes asked for. */
function merged(
  image: StoredImage,
  description: Partial<IsocDescription>,
): IsocDescription {
  const names = description.names ?? image.names.filter(isName);
  if (names.length === 0) {
    throw new DescriptionError(
      "The image has no name of its own: give it one with description.names",
    );
  }
  return {
    ...image.base.fields,
    // An image without a time of its own stays without one.
    created: image.base.fields.created ?? 0,
    base: image.base,
    ...(image.annotations && { annotations: image.annotations }),
    ...description,
    names,
  };
}

/** A compressed layer's bytes without the compression; undefined if it has none. */
async function uncompressed(
  { source, digest }: StoredLayer,
  name: string,
  decompress: Decompress,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const compression = compressionOf(await readAt(source, 0, LOOKED_AT));
  if (!compression) return undefined;
  const stream = digest === undefined
    ? source.stream()
    : toStream(digestChecked(
      fromStream(source.stream()),
      digest,
      () =>
        new FileError(`${name} is damaged: its digest is not sha256:${digest}`),
    ));
  return decompress(stream, compression);
}

/** The compression that every web runtime knows. */
function gunzip(
  stream: ReadableStream<Uint8Array>,
  compression: Compression,
): ReadableStream<Uint8Array> {
  if (compression !== "gzip") {
    throw new InputError(
      `A layer is compressed with ${compression}, which the web's ` +
        "DecompressionStream does not know: give convert() a decompress that does",
    );
  }
  return stream.pipeThrough(
    new DecompressionStream("gzip") as TransformStream<Uint8Array, Uint8Array>,
  );
}
