import type { HistoryEntry, Image } from "../image/image.ts";
import { jsonText } from "../formats/json_text.ts";
import type { Layer } from "../image/layer.ts";
import { imageConfig } from "../formats/oci_config.ts";
import { readConfig } from "./read_config.ts";

/**
 * Tells whether an image says no more and no less than the image config that it
 * was read from: then that config can stay byte for byte, with all that this
 * project does not know of, and the image keeps its ID.
 *
 * @param text The image config that the image was read from, JSON.
 * @param image The image as it is to be.
 * @param layers Its layers, lowest first.
 * @returns Whether a new config would say the same.
 */
export function keepsConfig(
  text: string,
  image: Image,
  layers: Layer[],
): boolean {
  let was;
  let document: {
    rootfs?: { diff_ids?: unknown[] };
    history?: HistoryEntry[] | null;
  };
  try {
    was = readConfig(text);
    document = JSON.parse(text);
  } catch {
    return false;
  }
  // An image config names its platform; without one engines would guess.
  if (!was.architecture || !was.os) return false;
  const diffIds = document.rootfs?.diff_ids ?? [];
  if (
    diffIds.length !== layers.length ||
    layers.some(({ digest }, i) => diffIds[i] !== `sha256:${digest}`)
  ) return false;
  const before: Image = {
    names: image.names,
    created: image.created,
    architecture: was.architecture,
    ...was,
    baseHistory: document.history ?? undefined,
  };
  return jsonText(imageConfig(before, layers)) ===
    jsonText(imageConfig(image, layers));
}
