import { type Face, FACES } from "../image/face.ts";
import type { Image } from "../image/image.ts";
import {
  DEFAULT_ARCHITECTURE,
  type ImageDescription,
} from "../rootfs/facts.ts";
import type { KnownLayer } from "../rootfs/layer_stack.ts";
import { closing } from "../tar/header.ts";
import { imageDocuments } from "./documents.ts";
import { hasRootfs, layOut } from "./layout.ts";

/** Where layers and rootfs/ of an archive are, most likely. */
export interface Outlook {
  /**
   * Offsets of the layers' data; `undefined` if the archive has no layers. Of
   * equal layers only the last one's counts.
   */
  layers: (number | undefined)[];
  /** Offset of the entries below rootfs/, if there are any. */
  rootfs: number | undefined;
}

/**
 * Guesses where layers and rootfs/ of an image are, before they are read. What
 * only the rootfs shows, such as the architecture, is a guess; the documents
 * have room for nearly all answers.
 *
 * @param known The layers; of a size that is not known any will do, but for the
 * places after it.
 */
export function outlook(
  description: ImageDescription,
  { faces = FACES, pristine = false }: {
    faces?: readonly Face[] | undefined;
    pristine?: boolean | undefined;
  },
  known: readonly KnownLayer[],
): Outlook {
  const chosen = new Set(faces);
  const { architecture = DEFAULT_ARCHITECTURE } = description;
  const image: Image = { ...description, architecture };
  const layers = known.map(({ size = 0, digest }, i) => ({
    digest: digest ?? i.toString(16).padStart(64, "0"),
    size,
  }));
  const nothing = async function* () {};
  const archive = layOut({
    faces: chosen,
    image,
    layers,
    facts: { ids: { uid: 0, gid: 0 } },
    made: imageDocuments(image, layers),
    v1InRootfs: !pristine && layers.length === 1,
    stretches: layers.map(({ size }) => ({ size, chunks: nothing })),
    rootfs: { size: 0, chunks: nothing },
  });
  const { starts } = archive;
  const rootfs = archive.size - closing().length;
  return {
    layers: layers.map((_, i) => starts[starts.length - layers.length + i]),
    rootfs: hasRootfs(chosen) ? rootfs : undefined,
  };
}
