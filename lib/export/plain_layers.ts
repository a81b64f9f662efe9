import { InputError } from "../errors/input_error.ts";
import type { Documents } from "./documents.ts";

/**
 * Checks that the archive's image has its layers uncompressed, as every isoc has
 * them.
 *
 * @returns Their digests, lowest first, or `undefined` if they are not known.
 * @throws {InputError} If they are other ones than the image config says.
 */
export function plainLayers(documents: Documents): string[] | undefined {
  const { image, v1 } = documents;
  if (!image) return v1 && [v1.id];
  const config = documents.json<{ rootfs?: { diff_ids?: string[] } }>(
    `blobs/sha256/${image.config}`,
  );
  if (!config) return undefined;
  const diffIds = config.rootfs?.diff_ids ?? [];
  const same = Array.isArray(diffIds) &&
    diffIds.length === image.layers.length &&
    image.layers.every((digest, i) => diffIds[i] === `sha256:${digest}`);
  if (!same) {
    throw new InputError(
      "The layers are not those of the image config, or are compressed; ciso " +
        "convert makes an isoc of such an archive",
    );
  }
  return image.layers;
}
