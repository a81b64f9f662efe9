import { createHash } from "node:crypto";
import { binary } from "../../lib/streams/bytes.ts";
import { type TarEntry, tarOf } from "./tar_writer.ts";

/** An image of a `docker save` archive, as a test wants it. */
export interface SavedImage {
  /** Fields of the image config; `undefined` removes one. */
  top?: Record<string, unknown>;
  /** Fields of its `config` object. */
  config?: Record<string, unknown>;
  /** Names with tags. */
  names?: string[] | null;
  /** Its one layer; a tar with one file unless given. */
  layer?: Uint8Array;
}

const hex = (bytes: Uint8Array | string) =>
  createHash("sha256").update(bytes).digest("hex");

/** A layer with one empty file and a directory. */
export const SMALL_LAYER = tarOf([
  { name: "app/", type: "5", mode: 0o755 },
  { name: "file", data: "" },
]);

/** The image config of a saved image, as text. */
export function savedConfig(image: SavedImage): string {
  const { top = {}, config = {}, layer = SMALL_LAYER } = image;
  return JSON.stringify({
    architecture: "amd64",
    os: "linux",
    created: "2020-01-01T00:00:00Z",
    config: { Cmd: ["/bin/echo", "hello"], Env: ["PATH=/bin"], ...config },
    rootfs: { type: "layers", diff_ids: [`sha256:${hex(layer)}`] },
    history: [{ created_by: "x" }],
    ...top,
  });
}

/**
 * A `docker save` archive.
 *
 * @param images Its images.
 * @param more Entries that come after all others.
 */
export function dockerArchive(
  images: SavedImage[],
  more: TarEntry[] = [],
): Uint8Array {
  const files = new Map<string, string>();
  const manifest = images.map((image) => {
    const { names = ["isoc/odd:1"], layer = SMALL_LAYER } = image;
    const config = savedConfig(image);
    const paths = [`${hex(config)}.json`, `${hex(layer)}/layer.tar`] as const;
    files.set(paths[0], config).set(paths[1], binary(layer));
    return { Config: paths[0], RepoTags: names, Layers: [paths[1]] };
  });
  files.set("manifest.json", JSON.stringify(manifest));
  return tarOf([
    ...[...files].map(([name, data]) => ({ name, data })),
    ...more,
  ]);
}
