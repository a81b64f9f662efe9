import type { Image } from "../image/image.ts";
import type { LayerOutput, Stack } from "../rootfs/layer_stack.ts";
import { type ImageDescription, rootfsFacts } from "../rootfs/facts.ts";
import { baseNotes } from "./base_image.ts";
import type { ArchiveOptions } from "./isoc.ts";
import { packLayers } from "./pack_layers.ts";
import { imageDocuments, type PlatformDocuments } from "./documents.ts";

/** An image that an archive has as blobs alone, besides its primary one. */
export interface OtherPlatform extends PlatformDocuments {
  layers: LayerOutput[];
  /** What the user should know of it, in sentences. */
  notes: string[];
}

/**
 * Makes the documents of an image that is not the primary one. Of its stack only
 * the layers stay in memory.
 */
export async function otherPlatform(
  stack: Stack,
  description: ImageDescription,
  { packLayer }: ArchiveOptions,
): Promise<OtherPlatform> {
  const faces = new Set(["oci" as const]);
  const facts = await rootfsFacts(stack.tree, description, faces);
  const image: Image = { ...description, architecture: facts.architecture };
  const { layers } = stack;
  await packLayers(layers, packLayer);
  const made = imageDocuments(image, layers.map(({ layer }) => layer));
  const notes = [...baseNotes(image), ...facts.notes, ...stack.notes ?? []];
  return { image, made, layers, notes };
}
