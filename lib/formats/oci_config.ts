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
 * Makes the image config, the one document that Docker, podman, containerd and
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
  const made = {
    created: rfc3339(image.created),
    ...(image.author && { author: image.author }),
  };
  return {
    ...made,
    architecture: image.architecture,
    ...(image.variant && { variant: image.variant }),
    os: image.os ?? "linux",
    config: processConfig(image),
    rootfs: {
      type: "layers",
      diff_ids: layers.map(({ digest }) => `sha256:${digest}`),
    },
    history: history(image, layers.length, {
      ...made,
      ...(image.history && { created_by: image.history }),
    }),
  };
}

/** One entry a layer: those that lower layers brought, then new ones. */
function history(
  { baseHistory = [] }: Image,
  layers: number,
  entry: HistoryEntry,
): HistoryEntry[] {
  const told = baseHistory.filter(({ empty_layer }) => !empty_layer).length;
  // A history that does not fit its layers is worse than none.
  const base = told <= layers ? baseHistory : [];
  const missing = layers - (told <= layers ? told : 0);
  return [...base, ...Array.from({ length: missing }, () => entry)];
}
