import { type Face, ROOTFS_FACES } from "../image/face.ts";
import type { Image } from "../image/image.ts";
import { type Layer, storedBlob } from "../image/layer.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import { closing, newHeader } from "../tar/header.ts";
import { Archive } from "./archive.ts";
import { addV1Chain } from "./docker_v1_chain.ts";
import {
  addDocuments,
  type DocumentFacts,
  type ImageDocuments,
  type SeveralPlatforms,
} from "./documents.ts";
import type { Stretch } from "./stretch.ts";
import { pausesOf } from "./turns.ts";

/**
 * The layer's data start on a multiple of this, in bytes. File systems that
 * share equal blocks then share the layer with the input. It also rounds the
 * documents' length up so far that a guess of it is nearly always right.
 */
const ROOM = 1 << 15;

/** Further layers start on a multiple of this: a block of a file system. */
const PAGE = 1 << 12;

/** What goes into the archive. */
export interface Contents {
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

/** Whether some of the faces take their files from below rootfs/. */
export function hasRootfs(faces: ReadonlySet<Face>): boolean {
  return ROOTFS_FACES.some((face) => faces.has(face));
}

/**
 * Puts all in order: documents, layers, rootfs/. A reader of the stream knows
 * from its beginning what the rest is, and can stop after the layers if it
 * needs no more. Where that makes a compressed archive smaller, each layer comes
 * amid its own files instead.
 */
export function layOut(contents: Contents): Archive {
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
