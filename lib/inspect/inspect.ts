import {
  type Candidate,
  noChoice,
  platformText,
  withName,
  withPlatform,
} from "../read/choose_image.ts";
import type { Face } from "../image/face.ts";
import { isUtf8 } from "../streams/bytes.ts";
import type { Compression } from "../streams/compression.ts";
import { type ByteShare, byteShares, bytesTwice } from "./byte_shares.ts";
import type { Distribution, Package } from "../packages/package.ts";
import type { FileTree, NodeType } from "./file_tree.ts";
import type { FoundImage } from "./found_image.ts";
import { type ImageFacts, imageFacts } from "./image_facts.ts";
import type { ImageTree, ReadLayer } from "./layer_tars.ts";
import type { OpenedImage } from "./open_image_file.ts";
import { type Sized, treeFacts } from "./tree_facts.ts";

/** The version of the shape of {@linkcode InspectReport}. */
export const REPORT_VERSION = 1;

/** What kind of image file it is, by the faces that it has. */
export type FileKind =
  | "isoc"
  | "docker-archive"
  | "docker-v1-archive"
  | "oci-layout"
  | "skopeo-dir"
  | "aci"
  | "lxd"
  | "bundle"
  | "several-faces";

/** A path: text, and its bytes in base 64 where they are no UTF-8. */
export interface PathText {
  path: string;
  pathBase64?: string;
}

/** A layer, as {@linkcode InspectReport} has it. */
export interface LayerReport extends ReadLayer {
  /** Counted from 1, the lowest layer first. */
  number: number;
  /** Where it is in the image file. */
  path: string;
  digest?: string;
  diffId?: string;
  mediaType?: string;
  /** The command that made it, and when, where the history says so. */
  createdBy?: string;
  created?: string;
}

/** An image among those of a file. */
export interface ImageSummary {
  names: string[];
  platform: FoundImage["platform"];
  faces: Face[];
  digest?: string;
  layers: number;
  /** Whether the report is about this one. */
  chosen: boolean;
}

/** What `ciso inspect --json` prints; docs/inspect.md describes it. */
export interface InspectReport {
  version: typeof REPORT_VERSION;
  file: {
    name: string;
    kind: FileKind;
    /** Size in bytes, uncompressed; of a directory, of the files named in it. */
    size: number;
    /** What was taken off the whole file. */
    compression?: Compression;
  };
  faces: { name: Face; bytes: number; documents: string[] }[];
  bytes: {
    shares: ByteShare[];
    /** Bytes of files that are in `rootfs/` and in a layer. */
    twice: number;
    /** Bytes of files that later layers replace or delete. */
    wasted: number;
  };
  images: ImageSummary[];
  image: Omit<ImageFacts, "notes"> & {
    /** Digest of the image manifest, and of the image config. */
    digest?: string;
    id?: string;
    layers: LayerReport[];
  };
  tree: {
    types: Partial<Record<NodeType, number>>;
    bytes: number;
    largestFiles: (PathText & { bytes: number; layer: number })[];
    largestDirectories: (PathText & { bytes: number; files: number })[];
  };
  /** What the image's os-release says. */
  distribution?: Distribution;
  /** Its packages, in the order of their types and names. */
  packages?: Omit<Package, "files">[];
  notes: string[];
}

/** What a report is about. */
export interface Inspected {
  /** Name of the file, for the report. */
  name: string;
  compression?: Compression;
  opened: OpenedImage;
  image: FoundImage;
  read: ImageTree;
}

/** Makes a report of an image file and of one image in it. */
export function inspectReport(inspected: Inspected): InspectReport {
  const { name, compression, opened, image, read } = inspected;
  const shares = byteShares(opened);
  const { notes, ...facts } = imageFacts(image, opened.documents);
  const id = configDigest(image);
  const { tree } = read.layered;
  return {
    version: REPORT_VERSION,
    file: {
      name,
      kind: kindOf(opened),
      size: shares.reduce((sum, { bytes }) => sum + bytes, 0),
      ...(compression && { compression }),
    },
    faces: opened.faces.map((face) => ({
      name: face,
      bytes: shares.reduce(
        (sum, { faces, bytes }) => sum + (faces.includes(face) ? bytes : 0),
        0,
      ),
      documents: [...opened.documents.values()]
        .filter(({ faces }) => faces.includes(face)).map(({ path }) => path),
    })),
    bytes: {
      shares,
      twice: image.layered && opened.archive
        ? bytesTwice(opened.archive.rootfs, tree)
        : 0,
      wasted: read.layers.reduce((sum, { wasted }) => sum + wasted.bytes, 0),
    },
    images: opened.images.map((one) => ({
      names: one.names,
      platform: one.platform,
      faces: one.faces,
      ...(one.digest && { digest: one.digest }),
      layers: one.layers.length,
      chosen: one === image,
    })),
    image: {
      ...facts,
      ...(image.digest && { digest: image.digest }),
      ...(id && { id }),
      layers: layerReports(image, read, facts),
    },
    tree: treeReport(tree),
    ...packagesReport(read),
    notes: allNotes(inspected, notes),
  };
}

/**
 * Chooses an image of a file. Of several platforms it is the first, which all
 * faces have.
 *
 * @param platform What its platform must be, as far as it is given.
 * @param name A name that it must have.
 * @param isOverview Whether any image will do, since all are listed.
 * @throws {InputError} If none fits, or several of other names; the message lists
 * those that there are.
 */
export function chooseImage(
  { images }: OpenedImage,
  platform: FoundImage["platform"],
  name?: string,
  isOverview = false,
): FoundImage {
  const all = images.map((image, i) => ({
    image,
    id: `${i}`,
    names: image.names,
    digests: digestsOf(image),
    platform: image.platform,
  }));
  const named = name === undefined ? all : withName(all, name);
  const fits = withPlatform(
    named.filter(({ platform: has }) =>
      !platform.architecture || has.architecture === platform.architecture
    ),
    platform,
  );
  const [first, ...others] = fits;
  if (first && (isOverview || others.every((one) => isSame(first, one)))) {
    return first.image;
  }
  throw noChoice({ all, named, fits }, { platform, name });
}

/** Whether two images may be one: for several platforms, or in two faces. */
function isSame(a: Candidate, b: Candidate): boolean {
  if (a.names.some((name) => b.names.includes(name))) return true;
  const hasNames = a.names.length > 0 && b.names.length > 0;
  return !hasNames && platformText(a.platform) !== platformText(b.platform);
}

function digestsOf({ digest, config }: FoundImage): string[] {
  return [digest, config?.path].flatMap((text) =>
    /[0-9a-f]{64}/.exec(text ?? "") ?? []
  );
}

/** A path for a report. */
export function pathText(path: Uint8Array): PathText {
  const text = new TextDecoder().decode(path);
  if (isUtf8(path)) return { path: text };
  let binary = "";
  for (const byte of path) binary += String.fromCharCode(byte);
  return { path: text, pathBase64: btoa(binary) };
}

function kindOf({ faces, files }: OpenedImage): FileKind {
  if (files.isSkopeo) return "skopeo-dir";
  const has = (face: Face) => faces.includes(face);
  const layered = has("docker") || has("oci") || has("docker-v1");
  const flat = faces.filter((face) =>
    face === "appc" || face === "lxd" || face === "bundle"
  );
  if (layered && flat.length > 0) return "isoc";
  if (has("docker")) return "docker-archive";
  if (has("oci")) return "oci-layout";
  if (has("docker-v1")) return "docker-v1-archive";
  if (flat.length > 1) return "several-faces";
  return flat[0] === "appc" ? "aci" : flat[0] as "lxd" | "bundle";
}

/** The digest in the image config's path: no other one is known. */
export function configDigest({ config }: FoundImage): string | undefined {
  const [, hex] = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(
    config?.path ?? "",
  ) ?? [];
  return hex && `sha256:${hex}`;
}

function layerReports(
  image: FoundImage,
  read: ImageTree,
  { history = [] }: Pick<ImageFacts, "history">,
): LayerReport[] {
  const made = history.filter(({ empty_layer }) => !empty_layer);
  const fits = made.length === image.layers.length;
  return image.layers.map((layer, i) => {
    const { path, digest, diffId, mediaType } = layer;
    const { created_by, created } = fits ? made[i]! : {};
    return {
      number: i + 1,
      path,
      ...(digest && { digest }),
      ...(diffId && { diffId }),
      ...(mediaType && { mediaType }),
      ...(typeof created_by === "string" && { createdBy: created_by }),
      ...(typeof created === "string" && { created }),
      ...read.layers[i]!,
    };
  });
}

function treeReport(tree: FileTree): InspectReport["tree"] {
  const { types, bytes, largestFiles, largestDirectories } = treeFacts(tree);
  return {
    types,
    bytes,
    largestFiles: largestFiles.map(({ node, bytes }: Sized) => ({
      ...pathText(tree.path(node)),
      bytes,
      layer: tree.origin(node).layer + 1,
    })),
    largestDirectories: largestDirectories.map(({ node, bytes, files }) => ({
      ...pathText(tree.path(node)),
      bytes,
      files,
    })),
  };
}

function packagesReport({ packages: list }: ImageTree) {
  if (!list) return {};
  const { distribution, packages } = list;
  return { ...(distribution && { distribution }), packages };
}

function allNotes(
  { opened, image, read }: Inspected,
  notes: string[],
): string[] {
  const all = [
    ...opened.notes,
    ...notes,
    ...read.layered.notes,
    ...read.packages?.warnings ?? [],
  ];
  const { leftOut } = read.layered;
  if (leftOut > read.layered.notes.length) {
    all.push(`${leftOut} entries in all have no place in the tree`);
  }
  const missing = read.layers.filter(({ missing }) => missing).length;
  if (missing > 0 && image.layered) {
    all.push(`The file lacks ${missing} of the image's layers`);
  } else if (missing > 0) all.push("The file has no rootfs/ with files");
  const junk = opened.archive?.junk ?? 0;
  if (junk > 0 && !opened.archive?.hasView) {
    all.push(`${junk} bytes after the archive's end are no tar`);
  }
  return all;
}
