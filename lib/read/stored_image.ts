import type { BaseImage } from "../image/image.ts";
import type { FileSource } from "./image_files.ts";

/** A layer as an image file holds it. */
export interface StoredLayer {
  /** Its bytes as they are there, compressed or not. */
  source: FileSource;
  /** SHA-256 of these bytes in hex, where the image says it. */
  digest?: string;
  /** SHA-256 of the uncompressed layer in hex, where the image says it. */
  diffId?: string;
  /**
   * Whether it is the tree of an ACI, a runtime bundle or an image of LXD: names
   * that start with `.wh.` delete nothing there.
   */
  aci?: boolean;
  /** The directory of a tree's tar that has its files; the top unless given. */
  root?: string;
  /** Absolute paths of the files that an ACI shows, where it hides others. */
  visible?: string[];
}

/**
 * Whether the image config of an image is that of its layers: those of Docker 1.9
 * have no IDs in it, and trees have no config.
 */
export function hasConfigLayers(layers: readonly StoredLayer[]): boolean {
  return layers.every(({ aci, diffId }) => !aci && diffId !== undefined);
}

/** What an image file holds. */
export interface StoredImage {
  /** Layers, lowest first; there may be none. */
  layers: StoredLayer[];
  /** What its documents say of it. */
  base: BaseImage;
  /** Annotations of its manifest. */
  annotations?: Record<string, string>;
  /** Its names, with tags. */
  names: string[];
  /** What the user should know of it, in sentences. */
  notes: string[];
  /** Of an image without layers: why it has none, and what to do, in a sentence. */
  lacks?: string;
}
