import type { Source } from "../streams/source.ts";
import { filesOfTar } from "./image_files.ts";
import type { ImageChoice } from "./choose_image.ts";
import { readImage as readFiles } from "./open_image.ts";
import type { StoredImage } from "./stored_image.ts";

/**
 * Reads an image file: an isoc, what `docker save` or `podman save` writes, an OCI
 * image layout or a `dir:` layout of skopeo as a tar, an ACI, a tar of a runtime
 * bundle, or an image of LXD or Incus.
 *
 * @param source The file, uncompressed. A `Blob` will do.
 * @param choice Which image to take of a file that has several.
 * @returns What its documents say, and its layers, to be read.
 * @throws {InputError} If it is not one of these, or its documents do not fit together.
 *
 * @example
 * ```ts
 * import { build, readImage } from "@isoc/isoc";
 * import assert from "node:assert/strict";
 *
 * const { stdout } = await new Deno.Command("tar", {
 *   args: ["-c", "-C", "tests", "."],
 * }).output();
 * const isoc = await build(new Blob([stdout]), {
 *   names: ["isoc/tests:1.0"],
 *   command: ["/bin/sh"],
 * });
 * const file = await new Response(isoc.stream()).blob();
 *
 * const { names, base, layers } = await readImage(file);
 * assert.deepEqual(names, ["docker.io/isoc/tests:1.0"]);
 * assert.deepEqual(base.fields.command, ["/bin/sh"]);
 * assert.equal(layers[0]!.diffId, isoc.layers[0]!.digest);
 * ```
 */
export async function readImage(
  source: Source,
  choice: ImageChoice = {},
): Promise<StoredImage> {
  return await readFiles(await filesOfTar(source), choice);
}
