import type { HistoryEntry, Image } from "../image/image.ts";
import type { Layer } from "../image/layer.ts";
import { type ProcessConfig, processConfig } from "./process_config.ts";
import { rfc3339 } from "./values/time.ts";

/** An OCI image config, which is a Docker image config too. */
export interface ImageConfig {
  created: string;
  author?: string;
  architecture: string;
  variant?: string;
  os: string;
  config: ProcessConfig;
  rootfs: { type: "layers"; diff_ids: string[] };
  history: HistoryEntry[];
}

/**
 * Makes the image config of an image that is made from no other, the one document that Docker, podman, containerd and
 * all OCI tools share. The SHA-256 of its text is the image ID.
 *
 * @param image The image.
 * @param layers The layers, lowest first. Each one gets a history entry with
 * the image's `history` text.
 * @returns The document.
 * @throws {DescriptionError} If a port, a path, a variable or a health check is
 * malformed.
 * @throws {DescriptionError} If a port number, a health check's time or the creation
 * time is out of bounds.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md}
 */
export function imageConfig(image: Image, layers: Layer[]): ImageConfig {
  return {
    created: rfc3339(image.created),
    ...(image.author && { author: image.author }),
    architecture: image.architecture,
    ...(image.variant && { variant: image.variant }),
    os: image.os ?? "linux",
    config: processConfig(image),
    rootfs: {
      type: "layers",
      diff_ids: layers.map(({ digest }) => `sha256:${digest}`),
    },
    history: layers.map(() => historyEntry(image)),
  };
}

/** The history entry of a new layer. */
export function historyEntry(image: Image): HistoryEntry {
  return {
    created: rfc3339(image.created),
    ...(image.author && { author: image.author }),
    ...(image.history && { created_by: image.history }),
  };
}
