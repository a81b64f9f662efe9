import { DescriptionError } from "../errors/description_error.ts";
import { InputError } from "../errors/input_error.ts";
import { savedImage } from "../rootfs/saved_image.ts";
import { inputChanged } from "../errors/input_changed.ts";
import { digestChecked } from "../streams/digest_checked.ts";
import { baseNotes } from "./base_image.ts";
import { ALL_FACES, type Face, FACES, ROOTFS_FACES } from "../image/face.ts";
import type { Image } from "../image/image.ts";
import { type Layer, storedBlob } from "../image/layer.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import type { KnownLayer, LayerOutput, Stack } from "../rootfs/layer_stack.ts";
import { rootHeader } from "../rootfs/relocate.ts";
import {
  DEFAULT_ARCHITECTURE,
  type ImageDescription,
  rootfsFacts,
} from "../rootfs/facts.ts";
import { rootfsEntries } from "../rootfs/scan.ts";
import { MAX_SKIP } from "../tar/skip_header.ts";
import { closing, newHeader } from "../tar/header.ts";
import { Archive } from "./archive.ts";
import type { Stretch } from "./stretch.ts";
import { pausesOf } from "./turns.ts";
import type { Zstd } from "./containerd_view.ts";
import { packedFaces, type PackLayer, packLayers } from "./pack_layers.ts";
import { addV1Chain, ownV1File } from "./docker_v1_chain.ts";
import {
  addDocuments,
  type DocumentFacts,
  type ImageDocuments,
  imageDocuments,
  type PlatformDocuments,
  type SeveralPlatforms,
  severalPlatforms,
} from "./documents.ts";
import type { OtherPlatform } from "./other_platform.ts";

/**
 * The layer's data start on a multiple of this, in bytes. File systems that
 * share equal blocks then share the layer with the input. It also rounds the
 * documents' length up so far that a guess of it is nearly always right.
 */
const ROOM = 1 << 15;
/** Further layers start on a multiple of this: a block of a file system. */
const PAGE = 1 << 12;
/** No header of the face containerd skips a longer file. */
const LONGEST = MAX_SKIP - (1 << 16);

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
  view?: { archive: Archive; zstd: Zstd } | undefined;
  image: Image;
  made: ImageDocuments;
  platforms?: SeveralPlatforms | undefined;
  others?: readonly OtherPlatform[] | undefined;
  faces: Face[];
  /** What the user should know of, in sentences. */
  notes: string[];
}

/** What goes into the archive. */
interface Contents {
  faces: ReadonlySet<Face>;
  image: Image;
  layers: Layer[];
  facts: DocumentFacts;
  made: ImageDocuments;
  platforms?: SeveralPlatforms | undefined;
  /** The header blocks of rootfs/ itself; a new directory's unless given. */
  root?: Uint8Array | undefined;
  /** Whether the Docker v1 face has its newest image in rootfs/. */
  v1InRootfs: boolean;
  /** The layers' bytes, and those of the entries below rootfs/. */
  stretches: (Stretch & { size: number })[];
  /** The layers of other platforms, by their digests. */
  otherLayers?: Map<string, Stretch & { size: number }> | undefined;
  rootfs: Stretch;
  window?: number | undefined;
}

/** Makes the documents and puts the archive together. */
export async function assemble(
  stack: Stack,
  description: ImageDescription,
  options: AssembleOptions,
): Promise<Assembled> {
  const { pristine = false, packLayer, zstd, others = [] } = options;
  // Compressed layers have nothing in common with files.
  const window = packLayer ? undefined : options.window;
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
    ...stack.notes ?? [],
  ];
  if (stack.visible === null) {
    notes.push(
      "rkt may hang on this image: the rootfs has character devices, and too " +
        "many files to list the others for it",
    );
  }
  const made = imageDocuments(image, layers);
  const all: PlatformDocuments[] = [...others];
  all.splice(options.position ?? 0, 0, { image, made });
  const platforms = all.length > 1 ? severalPlatforms(all) : undefined;
  const { visible, tree, source, rootfsSize } = stack;
  const mtime = Math.floor(image.created);
  const contents: Contents = {
    faces: chosen,
    image,
    layers,
    facts: { ...facts, ...(visible && { visible }) },
    made,
    platforms,
    root: rootHeader(tree, ROOTFS),
    v1InRootfs: !pristine && v1InRootfs(chosen, stack, notes),
    stretches: stack.layers.map(layerStretch),
    otherLayers: new Map(
      others.flatMap(({ layers }) =>
        layers.map((one) => [storedBlob(one.layer).digest, layerStretch(one)])
      ),
    ),
    rootfs: {
      size: rootfsSize,
      written: stack.writtenRootfs,
      chunks: () => rootfsEntries(source, tree, mtime),
    },
    window,
  };
  const archive = layOut(contents);
  return {
    archive,
    ...(chosen.has("containerd") && { view: viewOf(contents, zstd) }),
    image,
    made,
    platforms,
    others,
    faces: ALL_FACES.filter((face) => chosen.has(face)),
    notes,
  };
}

/** Lays out what containerd sees: the faces docker and oci alone. */
function viewOf(contents: Contents, zstd: Zstd | undefined): Assembled["view"] {
  if (!contents.faces.has("oci")) {
    throw new DescriptionError(
      "The face containerd is another view of the face oci, which it needs: " +
        "--faces oci,containerd",
    );
  }
  if (!zstd) {
    throw new DescriptionError(
      "The face containerd needs zstd: give build() one that compresses",
    );
  }
  const long = contents.stretches.find(({ size }) => size > LONGEST);
  if (long) {
    throw new InputError(
      `A layer of ${long.size} bytes is too long for the face containerd, which ` +
        "takes no file above 4 GiB: --layer-size 1G splits a rootfs, or leave " +
        "it out of --faces",
    );
  }
  const faces = (["docker", "oci"] as const).filter((face) =>
    contents.faces.has(face)
  );
  return { archive: layOut({ ...contents, faces: new Set(faces) }), zstd };
}

/** Refuses a rootfs that is an image which some tool has saved. */
export async function refuseSaved(
  stack: Stack,
  { base }: ImageDescription,
  { allowSavedImage = false }: AssembleOptions,
): Promise<void> {
  // A base image keeps what it has at its root.
  if (base || allowSavedImage) return;
  const saved = await savedImage(stack.tree);
  if (!saved) return;
  const what = stack.layers.length > 1 ? "The layers make" : "It is";
  throw new InputError(
    `${what} ${saved.name}, not a root file system: ${saved.remedy} ` +
      "(--allow-saved-image takes it as it is)",
    { remedy: saved.remedy },
  );
}

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
  { faces = FACES, pristine = false }: AssembleOptions,
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

/** Whether some of the faces take their files from below rootfs/. */
function hasRootfs(faces: ReadonlySet<Face>): boolean {
  return ROOTFS_FACES.some((face) => faces.has(face));
}

/**
 * Puts all in order: documents, layers, rootfs/. A reader of the stream knows
 * from its beginning what the rest is, and can stop after the layers if it
 * needs no more. Where that makes a compressed archive smaller, each layer comes
 * amid its own files instead.
 */
function layOut(contents: Contents): Archive {
  const { faces, image, layers, stretches } = contents;
  const archive = new Archive(image.created);
  addDocuments(archive, faces, image, contents);
  const hasFiles = hasRootfs(faces);
  const hasBlobs = faces.has("docker") || faces.has("oci");
  if (hasFiles) {
    const { mtime } = archive;
    archive.add(
      contents.root ?? newHeader({ path: ROOTFS, type: "directory", mtime }),
    );
  }
  const { paths, links } = faces.has("docker-v1")
    ? addV1Chain(archive, image, layers, {
      inRootfs: hasFiles && contents.v1InRootfs,
      linked: hasBlobs,
    })
    : { paths: [], links: [] };
  if (hasBlobs) {
    paths.push(
      ...layers.map((layer) => `blobs/sha256/${storedBlob(layer).digest}`),
    );
  }
  let boundary = ROOM;
  const seen = new Set<string>();
  const add = (path: string, stretch: Stretch & { size: number }) => {
    // Two layers can be the same, such as empty ones.
    if (seen.has(path)) return;
    seen.add(path);
    archive.stretch(path, stretch, boundary);
    boundary = PAGE;
  };
  // Those that rootfs/ has once more come last: the nearer both copies are, the
  // smaller is what a compressor makes of them.
  for (const [digest, stretch] of contents.otherLayers ?? []) {
    const path = `blobs/sha256/${digest}`;
    if (!paths.includes(path)) add(path, stretch);
  }
  const addLayer = (i: number) => {
    add(paths[i]!, stretches[i]!);
    if (i < links.length) archive.hardLink(links[i]!, paths[i]!);
  };
  const pauses = hasFiles && hasBlobs ? pausesIn(contents) : undefined;
  if (pauses) archive.inTurns(contents.rootfs, pauses, addLayer);
  else {
    for (const i of paths.keys()) addLayer(i);
    if (hasFiles) archive.add(contents.rootfs);
  }
  archive.add(closing());
  return archive;
}

/** Where rootfs/ pauses for layers, if it does. */
function pausesIn(
  { window, stretches, rootfs: { size } }: Contents,
): number[] | undefined {
  if (window === undefined || size === undefined) return undefined;
  return pausesOf(stretches.map(({ size }) => size), size, window);
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
