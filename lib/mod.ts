/**
 * Makes isoc archives: one tar that Docker, podman, containerd, skopeo, rkt,
 * runc, LXD and Incus each take as their own image.
 *
 * @module
 */
export {
  build,
  type BuildOptions,
  type BuiltLayer,
  type Isoc,
} from "./isoc.ts";
export { IsocStream, type IsocStreamOptions } from "./isoc_stream.ts";
export {
  type Spooled,
  spoolToFile,
  spoolToMemory,
  type StreamSpool,
} from "./spool.ts";
export type { Healthcheck, HistoryEntry, Image } from "./image.ts";
export type { Format } from "./formats/unsupported.ts";
export type { Layer } from "./formats/layers.ts";
export type { LayerChange } from "./tree_options.ts";
export type { ImageDescription } from "./rootfs_facts.ts";
export type { Source } from "./source.ts";
export { type ImageName, parseName } from "./name.ts";
