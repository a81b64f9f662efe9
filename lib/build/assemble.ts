import { inputChanged } from "../errors/input_changed.ts";
import { ALL_FACES, type Face, FACES } from "../image/face.ts";
import type { Image } from "../image/image.ts";
import { storedBlob } from "../image/layer.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import { type ImageDescription, rootfsFacts } from "../rootfs/facts.ts";
import type { LayerOutput, Stack } from "../rootfs/layer_stack.ts";
import { rootHeader } from "../rootfs/relocate.ts";
import { rootfsEntries } from "../rootfs/rootfs_entries.ts";
import { digestChecked } from "../streams/digest_checked.ts";
import type { Archive } from "./archive.ts";
import { baseNotes } from "./base_image.ts";
import type { Zstd } from "./containerd_view.ts";
import { ownV1File } from "./docker_v1_chain.ts";
import {
  type ImageDocuments,
  imageDocuments,
  type PlatformDocuments,
  type SeveralPlatforms,
  severalPlatforms,
} from "./documents.ts";
import { type Contents, hasRootfs, layOut } from "./layout.ts";
import type { OtherPlatform } from "./other_platform.ts";
import { packedFaces, type PackLayer, packLayers } from "./pack_layers.ts";
import { refuseSaved } from "./refuse_saved.ts";
import type { Stretch } from "./stretch.ts";
import { type View, viewOf } from "./view_archive.ts";

/** Options of an archive. */
export interface AssembleOptions {
  faces?: readonly Face[] | undefined;
  pristine?: boolean | undefined;
  allowSavedImage?: boolean | undefined;
  /** Compresses the layers. */
  packLayer?: PackLayer | undefined;
  /** Compresses with zstd, for the face containerd. */
  zstd?: Zstd | undefined;
  /** How far back who compresses the archive looks, in bytes. */
  window?: number | undefined;
  /** Images of other platforms, which the archive has as blobs alone. */
  others?: readonly OtherPlatform[] | undefined;
  /** How many of the others come before this image in the image index. */
  position?: number | undefined;
}

/** An archive whose contents are known. */
export interface Assembled {
  archive: Archive;
  /** What zstd decoders find instead, if it has the face containerd. */
  view?: View | undefined;
  image: Image;
  made: ImageDocuments;
  platforms?: SeveralPlatforms | undefined;
  others?: readonly OtherPlatform[] | undefined;
  faces: Face[];
  /** What the user should know of, in sentences. */
  notes: string[];
}

/** Makes the documents and puts the archive together. */
export async function assemble(
  stack: Stack,
  description: ImageDescription,
  options: AssembleOptions,
): Promise<Assembled> {
  const { pristine = false, packLayer, zstd, others = [] } = options;
  const { faces, notes: left } = packLayer
    ? packedFaces(options.faces, FACES)
    : { faces: options.faces ?? FACES, notes: [] };
  await refuseSaved(stack, description, options);
  await packLayers(stack.layers, packLayer);
  const chosen = new Set(faces);
  const facts = await rootfsFacts(stack.tree, description, chosen);
  const image: Image = { ...description, architecture: facts.architecture };
  const layers = stack.layers.map(({ layer }) => layer);
  const notes = [
    ...left,
    ...baseNotes(image),
    ...facts.notes,
    ...stackNotes(stack),
  ];
  const made = imageDocuments(image, layers);
  const platforms = platformsOf({ image, made }, options);
  const { visible } = stack;
  const contents: Contents = {
    faces: chosen,
    image,
    layers,
    facts: { ...facts, ...(visible && { visible }) },
    made,
    platforms,
    root: rootHeader(stack.tree, ROOTFS),
    v1InRootfs: !pristine && v1InRootfs(chosen, stack, notes),
    stretches: stack.layers.map(layerStretch),
    otherLayers: otherLayers(others),
    rootfs: rootfsStretch(stack),
    // Compressed layers have nothing in common with files.
    window: packLayer ? undefined : options.window,
  };
  return {
    archive: layOut(contents),
    ...(chosen.has("containerd") && { view: viewOf(contents, zstd) }),
    image,
    made,
    platforms,
    others,
    faces: ALL_FACES.filter((face) => chosen.has(face)),
    notes,
  };
}

/** What the user should know of the tree. */
function stackNotes({ notes = [], visible }: Stack): string[] {
  return visible !== null ? notes : [
    ...notes,
    "rkt may hang on this image: the rootfs has character devices, and too " +
    "many files to list the others for it",
  ];
}

/** The images of all platforms, where there are several. */
function platformsOf(
  own: PlatformDocuments,
  { others = [], position = 0 }: AssembleOptions,
): SeveralPlatforms | undefined {
  if (others.length === 0) return undefined;
  const all: PlatformDocuments[] = [...others];
  all.splice(position, 0, own);
  return severalPlatforms(all);
}

/** The layers of other platforms, by their digests. */
function otherLayers(
  others: readonly OtherPlatform[],
): Contents["otherLayers"] {
  return new Map(
    others.flatMap(({ layers }) =>
      layers.map((one) => [storedBlob(one.layer).digest, layerStretch(one)])
    ),
  );
}

/** The entries below rootfs/. */
function rootfsStretch(stack: Stack): Stretch {
  return {
    size: stack.rootfsSize,
    written: stack.writtenRootfs,
    chunks: () => rootfsEntries(stack.source, stack.tree),
  };
}

/** Whether the newest Docker v1 image may be in rootfs/; notes it if not. */
function v1InRootfs(
  faces: ReadonlySet<Face>,
  { layers, tree }: Stack,
  notes: string[],
): boolean {
  if (layers.length > 1) return false;
  const own = ownV1File(tree);
  if (own === undefined) return true;
  if (faces.has("docker-v1") && hasRootfs(faces)) {
    notes.push(
      `The rootfs has a /${own} of its own, so the face for Docker before ` +
        `1.10 is in ${layers[0]!.layer.digest}/ instead of ${ROOTFS}`,
    );
  }
  return false;
}

function layerStretch(
  { layer, chunks, isSteady, written }: LayerOutput,
): Stretch & { size: number } {
  const { digest, size } = storedBlob(layer);
  return {
    size,
    written,
    // The digest is in the documents already, so these bytes must be the same.
    chunks: isSteady
      ? chunks
      : () => digestChecked(chunks(), digest, inputChanged),
  };
}
