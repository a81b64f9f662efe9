import { InputError } from "../errors/input_error.ts";
import type { StoredImage, StoredLayer } from "../read/stored_image.ts";
import type { LayerInput } from "../rootfs/layer_stack.ts";

/** A layer of an image file, its compression taken off. */
export interface OpenedLayer {
  /** Its bytes, uncompressed. */
  source: LayerInput["source"];
  /** What messages call it. */
  name: string;
  /** Whether there was a compression. */
  isPacked: boolean;
}

/**
 * A layer of an image file, to be built of.
 *
 * @param stored What the image file says of it.
 * @throws {InputError} If it has two digests.
 */
export function layerInput(
  { aci, root, visible, digest, diffId }: StoredLayer,
  { source, name, isPacked }: OpenedLayer,
): LayerInput {
  if (!isPacked && digest && diffId && digest !== diffId) {
    throw new InputError(
      `${name} is damaged: it is uncompressed, but its digest ` +
        `sha256:${digest} is not its diff ID sha256:${diffId}`,
    );
  }
  return { source, name, diffId, aci, root, visible, fromImage: !aci };
}

/**
 * Refuses an image without layers, of which nothing can be built.
 *
 * @throws {InputError} If it has none; the message says what to do.
 */
export function checkHasLayers({ layers, lacks }: StoredImage): void {
  if (layers.length > 0) return;
  throw new InputError(
    lacks ??
      "The image has no layers: put one on it, such as with ciso build --from " +
        "IMAGE ROOTFS",
  );
}
