import { utf8 } from "../streams/bytes.ts";
import { repositories, v1Chain, v1Json } from "../formats/docker_v1.ts";
import { jsonText } from "../formats/json_text.ts";
import type { Image } from "../image/image.ts";
import type { Layer } from "../image/layer.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import type { RootfsTree } from "../rootfs/rootfs_tree.ts";
import type { Archive } from "./archive.ts";

/** The files of Docker v1 that rootfs/ gets besides the rootfs's own. */
const FILES = ["VERSION", "json", "layer.tar"];

/** The first of the files of Docker v1 that a rootfs has itself, if any. */
export function ownV1File(tree: RootfsTree): string | undefined {
  return FILES.find((name) => tree.index.find(utf8(name)) >= 0);
}

/** The `layer.tar` that are still to be added, lowest layer first. */
export interface V1Layers {
  /** Paths of those that are files. */
  paths: string[];
  /**
   * Paths of those that are hard links to the layers' blobs, after which they
   * must come. Incus starts no container of an image with symlinks beside
   * rootfs/, and rkt takes no hard link to a blob below rootfs/.
   */
  links: string[];
}

/**
 * Adds the documents of Docker v1: `repositories`, and a directory with VERSION
 * and json for each layer, which is an image with a parent there.
 *
 * @param inRootfs Whether the newest image's directory is rootfs/ itself.
 * @param linked Whether the layers are blobs, to which `layer.tar` is a link.
 */
export function addV1Chain(
  archive: Archive,
  image: Image,
  layers: Layer[],
  { inRootfs, linked }: { inRootfs: boolean; linked: boolean },
): V1Layers {
  const chain = v1Chain(layers.map(({ digest }) => digest));
  const newest = chain.at(-1)!;
  archive.file("repositories", jsonText(repositories(image, newest.id)));
  const added: V1Layers = { paths: [], links: [] };
  for (const [i, link] of chain.entries()) {
    const { id, parent } = link;
    const directory = inRootfs && link === newest ? ROOTFS : `${id}/`;
    if (directory !== ROOTFS) archive.directory(directory);
    archive.file(`${directory}VERSION`, "1.0");
    const json = { ...v1Json(image, layers[i]!, parent), id };
    archive.file(`${directory}json`, jsonText(json));
    const path = `${directory}layer.tar`;
    if (!linked) added.paths.push(path);
    else if (directory !== ROOTFS) added.links.push(path);
    else archive.symlink(path, `../blobs/sha256/${layers[i]!.digest}`);
  }
  return added;
}
