import type { BaseImage } from "../image/image.ts";
import {
  configDocument,
  hasLayer,
  listIn,
  markEmpty,
  objectIn,
  put,
  withConfig,
} from "./config_document.ts";

/**
 * What an image says whose upper layers become one layer that is new. All
 * entries of its history stay; those of the merged layers have none any more,
 * as after `docker build --squash`.
 *
 * @param base What the image says.
 * @param kept How many layers stay, from the lowest one on.
 */
export function squashedBase(base: BaseImage, kept: number): BaseImage {
  if (base.config === undefined) return base;
  const { document, write } = configDocument(base.config);
  const rootfs = objectIn(document, "rootfs");
  if (rootfs) {
    put(rootfs, "diff_ids", listIn(rootfs, "diff_ids").slice(0, kept));
  }
  let layers = 0;
  for (const entry of listIn(document, "history")) {
    if (hasLayer(entry) && ++layers > kept) markEmpty(entry);
  }
  return withConfig(base, write());
}
