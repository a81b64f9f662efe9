import type { Face } from "../image/face.ts";
import type { Compression } from "../streams/compression.ts";
import { byteShares, bytesTwice } from "./byte_shares.ts";
import type { FileTree } from "./file_tree.ts";
import { configDigest, type FoundImage } from "./found_image.ts";
import { type ImageFacts, imageFacts } from "./image_facts.ts";
import type { ImageTree } from "./layer_tars.ts";
import type { OpenedImage } from "./open_image_file.ts";
import { pathText } from "./path_text.ts";
import {
  type FileKind,
  type InspectReport,
  type LayerReport,
  REPORT_VERSION,
} from "./report.ts";
import { type Sized, treeFacts } from "./tree_facts.ts";

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
