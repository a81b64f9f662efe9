import type { Documents } from "./documents.ts";
import { FaceMissingError } from "./face_missing_error.ts";

/**
 * Checks that the archive's image has its layers uncompressed, as every isoc has
 * them.
 *
 * @returns Their digests, lowest first, or `undefined` if they are not known.
 * @throws {InputError} If they are not the ones that the image config says.
 */
export function plainLayers(documents: Documents): string[] | undefined {
  const { image, v1 } = documents;
  if (!image) return v1 && [v1.id];
  const { diffIds } = documents;
  if (!diffIds) return undefined;
  const same = diffIds.length === image.layers.length &&
    image.layers.every((digest, i) => diffIds[i] === digest);
  if (!same) {
    throw new FaceMissingError(
      "The layers are not those of the image config, or are compressed; ciso " +
        "convert makes an isoc of such an archive",
    );
  }
  return image.layers;
}
