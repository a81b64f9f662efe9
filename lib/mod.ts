/**
 * Makes isocs: archives that Docker, podman, containerd, skopeo, rkt, runc, LXD and
 * Incus each take as their own image. All of this runs in a browser too; what needs
 * files is in `@isoc/isoc/node`.
 *
 * @example
 * ```ts
 * import { build } from "@isoc/isoc";
 *
 * const rootfs = new Blob([new Uint8Array(10240)]);
 * try {
 *   await build(rootfs, { names: ["isoc/hello"], command: ["/bin/sh"] });
 * } catch (error) {
 *   console.log((error as Error).message);
 * }
 * ```
 *
 * @module
 */
export { build, type BuildOptions } from "./build/build.ts";
export type {
  ArchiveOptions,
  BuiltLayer,
  BuiltPlatform,
  Isoc,
} from "./build/isoc.ts";
export type { Zstd } from "./build/containerd_view.ts";
export type { PackedBlob, PackLayer } from "./build/pack_layers.ts";
export type { IsocDescription } from "./build/created.ts";
export { IsocStream, type IsocStreamOptions } from "./build/isoc_stream.ts";
export {
  convert,
  type ConvertOptions,
  type Decompress,
} from "./build/convert.ts";
export { edit, type Edited, type EditWork } from "./edit/edit.ts";
export type {
  AddedEntry,
  EditOptions,
  ModeOption,
} from "./edit/edit_options.ts";
export type { Owner, Tally as EditTally } from "./edit/edits.ts";
export { exportFace } from "./export/export_stream.ts";
export type { ExportFace } from "./export/export_face.ts";
export { readImage } from "./read/read_image.ts";
export type { StoredImage, StoredLayer } from "./read/stored_image.ts";
export type { ImageChoice } from "./read/choose_image.ts";
export type { Platform } from "./read/read_oci.ts";
export type { FileSource } from "./read/image_files.ts";
export { spoolToMemory, type StreamSpool } from "./streams/spool.ts";
export type * from "./streams/public_types.ts";
export type { ImageDescription } from "./rootfs/facts.ts";
export type { LayerChange } from "./rootfs/layer_change.ts";
export type * from "./image/image.ts";
export { ALL_FACES, type Face, FACES } from "./image/face.ts";
export type { Layer as ImageLayer, LayerBlob } from "./image/layer.ts";
export { type ImageName, parseName } from "./image/name.ts";
export { DescriptionError } from "./errors/description_error.ts";
export { InputError } from "./errors/input_error.ts";
