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
} from "./build/build.ts";
export { IsocStream, type IsocStreamOptions } from "./build/isoc_stream.ts";
export {
  type Spooled,
  spoolToMemory,
  type StreamSpool,
} from "./streams/spool.ts";
export type { Healthcheck, HistoryEntry, Image } from "./image/image.ts";
export type { Face } from "./image/face.ts";
export type { Layer } from "./image/layer.ts";
export type { LayerChange } from "./rootfs/layer_change.ts";
export type { ImageDescription } from "./rootfs/facts.ts";
export type { Source } from "./streams/source.ts";
export { type ImageName, parseName } from "./image/name.ts";
