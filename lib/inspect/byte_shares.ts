import { ALL_FACES, type Face } from "../image/face.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import { padded } from "../tar/block.ts";
import { V1_FILES } from "./archive.ts";
import type { FileTree } from "./file_tree.ts";
import type { SizedPaths } from "./sized_paths.ts";
import type { OpenedImage } from "./open_image_file.ts";

/** What a stretch of an image file is for. */
export type ShareKind =
  | "documents"
  | "layers"
  | "rootfs"
  | "view"
  | "other"
  | "end";

/** Bytes of an image file that the same faces read. */
export interface ByteShare {
  /** The faces that read them; none reads what is left over. */
  faces: Face[];
  kind: ShareKind;
  /** Headers, data and padding. */
  bytes: number;
  /** Entries of the archive; 0 for its end. */
  entries: number;
}

/**
 * Finds what each byte of an image file is for.
 *
 * @returns Shares that add up to the size of the file; of a directory, to that
 * of the files which its documents name.
 */
export function byteShares(image: OpenedImage): ByteShare[] {
  const shares = new Map<string, ByteShare>();
  const add = (
    faces: Iterable<Face>,
    kind: ShareKind,
    bytes: number,
    entries = 1,
  ) => {
    if (bytes === 0) return;
    const known = new Set(faces);
    const sorted = ALL_FACES.filter((face) => known.has(face));
    const key = `${kind} ${sorted}`;
    const share = shares.get(key) ??
      { faces: sorted, kind, bytes: 0, entries: 0 };
    share.bytes += bytes;
    share.entries += entries;
    shares.set(key, share);
  };
  const readers = facesByPath(image);
  if (image.archive) addMembers(image, readers, add);
  else {
    for (const [path, { faces, kind, size }] of readers) {
      add(faces, kind, size, path === "" ? 0 : 1);
    }
  }
  const order: ShareKind[] = [
    "documents",
    "layers",
    "rootfs",
    "view",
    "other",
    "end",
  ];
  return [...shares.values()].sort((a, b) =>
    order.indexOf(a.kind) - order.indexOf(b.kind) || b.bytes - a.bytes
  );
}

type Readers = Map<string, { faces: Set<Face>; kind: ShareKind; size: number }>;

/** The faces that read each file which the documents name. */
function facesByPath({ documents, images }: OpenedImage): Readers {
  const readers: Readers = new Map();
  for (const { path, faces, text } of documents.values()) {
    const size = new TextEncoder().encode(text).length;
    readers.set(path, { faces: new Set(faces), kind: "documents", size });
  }
  for (const image of images) {
    const layered = image.faces.filter((face) =>
      !image.layered ||
      face === "docker" || face === "oci" || face === "docker-v1"
    );
    for (const { path, source } of image.layers) {
      if (!source) continue;
      const known = readers.get(path);
      readers.set(path, {
        faces: new Set([...known?.faces ?? [], ...layered]),
        kind: image.layered ? "layers" : "rootfs",
        size: source.size,
      });
    }
  }
  return readers;
}

type Add = (
  faces: Iterable<Face>,
  kind: ShareKind,
  bytes: number,
  entries?: number,
) => void;

function addMembers(image: OpenedImage, readers: Readers, add: Add): void {
  const archive = image.archive!;
  const v1Place = image.documents.has(`${ROOTFS}json`) ||
    (image.faces.includes("docker-v1") &&
      archive.members.has(`${ROOTFS}layer.tar`));
  let { rootfsBytes, rootfsEntries } = archive;
  for (const member of archive.members.values()) {
    const below = member.path.startsWith(ROOTFS);
    // Without Docker v1 there, these are files of the root file system.
    if (below && !v1Place) continue;
    if (below) {
      rootfsBytes -= member.bytes;
      rootfsEntries--;
    }
    const own = readers.get(member.path);
    if (member.kind === "directory") {
      add(facesBelow(readers, `${member.path}/`), "documents", member.bytes);
    } else if (own) add(own.faces, own.kind, member.bytes);
    else if (isV1File(member.path, below)) {
      add(["docker-v1"], "documents", member.bytes);
    } else add([], "other", member.bytes);
  }
  const rootfs = image.faces.filter((face) =>
    face === "appc" || face === "bundle" || face === "lxd"
  );
  add(
    rootfs,
    rootfs.length > 0 ? "rootfs" : "other",
    rootfsBytes,
    rootfsEntries,
  );
  const view = archive.hasView ? archive.junk : 0;
  add(["containerd"], "view", view, 0);
  add([], "end", archive.rest - view, 0);
}

function facesBelow(readers: Readers, directory: string): Set<Face> {
  const faces = new Set<Face>();
  for (const [path, reader] of readers) {
    if (!path.startsWith(directory)) continue;
    for (const face of reader.faces) faces.add(face);
  }
  return faces;
}

function isV1File(path: string, below: boolean): boolean {
  const [, name] = /^(?:[0-9a-f]{64}|rootfs)\/([^/]+)$/.exec(path) ?? [];
  return below || (name !== undefined && V1_FILES.includes(name));
}

/** Bytes of the files in `rootfs/` that the tree of the layers has as well. */
export function bytesTwice(rootfs: SizedPaths, layers: FileTree): number {
  let bytes = 0;
  for (let node = 1; node < layers.length; node++) {
    if (layers.type(node) !== "file") continue;
    const size = layers.size(node);
    if (size > 0 && rootfs.has(layers.path(node), size)) bytes += padded(size);
  }
  return bytes;
}
