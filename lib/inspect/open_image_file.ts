import { unlessRefused } from "../errors/refusal.ts";
import { ALL_FACES, type Face } from "../image/face.ts";
import { parseName } from "../image/name.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import { withPlatform } from "../read/choose_image.ts";
import { noImage } from "../read/no_image.ts";
import { rootfsPlatform } from "../read/rootfs_platform.ts";
import { type Archive, readArchive } from "./archive.ts";
import { findDockerImages, findV1Images } from "./find_docker.ts";
import { findOciImages } from "./find_oci.ts";
import {
  type Document,
  DocumentReader,
  type FoundImage,
  type OpenFiles,
} from "./found_image.ts";
import { isLxdMetadata, isRuntimeConfig } from "../read/saved_forms.ts";
import { asOciLayout } from "../read/skopeo_layout.ts";
import type { Walkable } from "./walk_tar.ts";

/** An image file, looked through. */
export interface OpenedImage {
  /** Its entries, if it is a tar; of a directory only its files are known. */
  archive?: Archive;
  files: OpenFiles;
  /** The faces that it has, in the order of {@linkcode ALL_FACES}. */
  faces: Face[];
  /** The images that it holds, at least one. */
  images: FoundImage[];
  /** Its documents, by path. */
  documents: ReadonlyMap<string, Document>;
  /** What is odd about it, in sentences. */
  notes: string[];
}

/** Documents of the faces that read the tree in `rootfs/`. */
const ROOTFS_FACES: readonly (readonly [string, Face])[] = [
  ["manifest", "appc"],
  ["config.json", "bundle"],
  ["metadata.yaml", "lxd"],
];

/**
 * Opens an image file of any kind: an isoc, what `docker save` (of any age) or
 * `podman save` writes, an OCI image layout, an ACI, an LXD or Incus image, a
 * bundle. It checks no digest.
 *
 * @param input The file, uncompressed; or the files of a directory.
 * @throws {InputError} If it is not one of these.
 */
export async function openImageFile(
  input: Walkable | OpenFiles,
): Promise<OpenedImage> {
  const archive = "stream" in input ? await readArchive(input) : undefined;
  const files = await asOciLayout(archive ?? input as OpenFiles);
  const reader = new DocumentReader(files);
  const images = merged([
    ...await findOciImages(reader),
    ...await findDockerImages(reader),
    ...await findV1Images(reader),
  ]);
  const rootfs = files.openTree && images.length === 0
    ? await directoryTree(reader, files, images)
    : await rootfsFaces(reader, archive);
  if (images.length === 0 && rootfs.length > 0) {
    images.push({
      faces: [],
      names: [],
      platform: {},
      layers: [{ path: ROOTFS }],
      layered: false,
    });
  }
  const [first] = await primaryFirst(reader, images);
  if (!first) {
    throw await noImage(files);
  }
  // These faces have room for one image; only an isoc has other faces beside
  // them.
  first.faces.push(...rootfs);
  if (archive?.hasView) first.faces.push("containerd");
  return {
    ...(archive && { archive }),
    files,
    faces: ALL_FACES.filter((face) =>
      images.some(({ faces }) => faces.includes(face))
    ),
    images,
    documents: reader.documents,
    notes: reader.notes,
  };
}

/**
 * Puts the image first that all faces have: of several platforms the one that
 * Docker's faces list, or else that `rootfs/` is for.
 */
async function primaryFirst(
  reader: DocumentReader,
  images: FoundImage[],
): Promise<FoundImage[]> {
  if (images.length < 2) return images;
  const isDocker = ({ faces }: FoundImage) =>
    faces.includes("docker") || faces.includes("docker-v1");
  const platform = images.some(isDocker) ? undefined : await rootfsPlatform(
    (path) => reader.documents.get(path)?.text,
  );
  const found = platform
    ? withPlatform(images, platform)[0]
    : images.find(isDocker);
  if (!found) return images;
  images.splice(images.indexOf(found), 1);
  images.unshift(found);
  return images;
}

/** The faces of the tree in `rootfs/`, there or not. */
async function rootfsFaces(
  reader: DocumentReader,
  archive: Archive | undefined,
): Promise<Face[]> {
  const faces: Face[] = [];
  for (const [path, face] of ROOTFS_FACES) {
    // In a directory, these names mean nothing.
    const hasRootfs = archive !== undefined && archive.rootfsEntries > 0;
    if (!hasRootfs && !(archive && path === "metadata.yaml")) continue;
    if (await reader.read(path, face)) faces.push(face);
  }
  return faces;
}

/** What says that a document of the faces that read a tree is theirs. */
const SIGNS: readonly ((text: string) => boolean)[] = [
  (text) => text.includes('"ImageManifest"'),
  isRuntimeConfig,
  isLxdMetadata,
];

/** The faces of a tree that is in a directory; it becomes an image. */
async function directoryTree(
  reader: DocumentReader,
  { openTree }: OpenFiles,
  images: FoundImage[],
): Promise<Face[]> {
  const faces: Face[] = [];
  for (const [i, [path, face]] of ROOTFS_FACES.entries()) {
    const document = await reader.read(path, face);
    if (document && SIGNS[i]!(document.text)) faces.push(face);
  }
  const source = faces.length > 0 ? await openTree!("rootfs") : undefined;
  if (!source) return faces.filter((face) => face === "lxd");
  images.push({
    faces: [],
    names: [],
    platform: {},
    layers: [{ path: ROOTFS, source }],
    layered: false,
  });
  return faces;
}

/** A name as Docker shows it; a tag alone stays one. */
function familiar(name: string): string {
  if (!/[/:]/.test(name)) return name;
  return unlessRefused(() => parseName(name))?.familiar ?? name;
}

/** Names once each; tags alone only where nothing says more. */
function namesOf(names: string[]): string[] {
  const all = [...new Set(names.map(familiar))];
  const full = all.filter((name) => /[/:]/.test(name));
  return full.length > 0 ? full : all;
}

/** The images that several faces describe, each one once. */
function merged(images: FoundImage[]): FoundImage[] {
  const all: FoundImage[] = [];
  for (const image of images) {
    const same = all.find((other) => isSame(image, other));
    if (!same) {
      all.push(image);
      continue;
    }
    same.faces = [...new Set([...same.faces, ...image.faces])];
    same.names = [...new Set([...same.names, ...image.names])];
    same.config ??= image.config;
    for (const [i, { diffId }] of image.layers.entries()) {
      if (diffId) same.layers[i]!.diffId ??= diffId;
    }
  }
  for (const image of all) image.names = namesOf(image.names);
  return all;
}

/** Whether two faces describe one image: its layers and config are the same. */
function isSame(a: FoundImage, b: FoundImage): boolean {
  // Two images of one face stay two, such as one for each platform.
  if (a.faces.some((face) => b.faces.includes(face))) return false;
  const isSameConfig = a.faces.includes("docker-v1") ||
    a.config?.path === b.config?.path;
  return isSameConfig && a.layers.length === b.layers.length &&
    a.layers.every(({ path, source }, i) =>
      source !== undefined && path === b.layers[i]!.path
    );
}
