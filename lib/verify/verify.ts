import { ALL_FACES, type Face } from "../image/face.ts";
import type { FileSource, ImageFiles } from "../read/image_files.ts";
import { noImage } from "../read/no_image.ts";
import { skopeoLayout } from "../read/skopeo_layout.ts";
import { utf8 } from "../streams/bytes.ts";
import type { Compression } from "../streams/compression.ts";
import { PathHash } from "../streams/path_hash.ts";
import { readAccounts } from "./accounts.ts";
import { checkArchive } from "./archive_checks.ts";
import { type Files, scanArchive } from "./archive_files.ts";
import { ByteWindow } from "./byte_window.ts";
import { ViewCheck } from "./containerd_view.ts";
import { DocumentReader } from "./document_reader.ts";
import { type Documents, readDocuments } from "./documents.ts";
import { checkFaces } from "./face_checks.ts";
import { type Finding, Findings } from "./finding.ts";
import { type Decompress, LayerReader } from "./layers.ts";
import { isV1File } from "./v1_in_rootfs.ts";
import { type Verdict, verdicts } from "./verdicts.ts";

/** What verifying needs of the runtime. */
export interface VerifyOptions {
  decompress: Decompress;
  parseYaml: (text: string) => unknown;
  /** The compression that was taken off the whole file. */
  compression?: Compression | undefined;
}

/** What verifying found. */
export interface Report {
  /** The faces that the image has. */
  faces: Face[];
  /** Broken rules, errors first; notes are no findings. */
  findings: Finding[];
  engines: Verdict[];
}

/**
 * Checks an image that is a tar: an isoc, what `docker save` or `podman save`
 * writes, an OCI image layout, an ACI or an image of LXD.
 *
 * @param source The uncompressed tar.
 * @returns What it breaks, and which engines take it.
 * @throws {InputError} If it is no image at all.
 */
export async function verifyArchive(
  source: FileSource,
  options: VerifyOptions,
): Promise<Report> {
  const hash = new PathHash();
  const findings = new Findings();
  const archive = await asLayout(await scanArchive(source, hash, findings));
  const reader = new DocumentReader(archive, findings);
  const documents = await readDocuments(reader, { ...options, archive });
  const layers = new LayerReader(reader, hash, options.decompress);
  const { rootfs } = archive;
  const { primary } = documents;
  if (rootfs) documents.accounts = await readAccounts(rootfs, source);
  if (rootfs && primary) {
    const window = new ByteWindow(source);
    await layers.checkImage(
      primary,
      { tree: rootfs, source, window },
      (path) => isV1File(documents.v1, path),
    );
    await window.close();
  }
  checkArchive(archive, documents, findings);
  if (archive.hasView) {
    documents.faces.add("containerd");
    await new ViewCheck(archive, findings).run(source, options.decompress);
  }
  if (documents.faces.size === 0) {
    throw await noImage({
      ...archive,
      open: async (path) => (await archive.open(path))?.source,
    });
  }
  return await finish(reader, documents, layers, {
    ...options,
    hasBlobs: archive.blobs.length > 0,
    isSkopeo: archive.isSkopeo,
    hasLinks: archive.hasLinks,
  });
}

/**
 * Checks an image that is a directory, such as an OCI image layout.
 *
 * @param files The files of the directory.
 */
export async function verifyDirectory(
  files: ImageFiles,
  options: VerifyOptions,
): Promise<Report> {
  const findings = new Findings();
  const opened = await asLayout<Files>({
    blobs: [],
    async open(path) {
      const source = await files.open(path);
      return source && { source, links: 0, path };
    },
  });
  const reader = new DocumentReader(opened, findings);
  // What is in the tree is not checked: it is no archive.
  const hasRootfs = await files.openTree?.("rootfs") !== undefined;
  const documents = await readDocuments(reader, { ...options, hasRootfs });
  if (documents.faces.size === 0) throw await noImage(files);
  const layers = new LayerReader(reader, new PathHash(), options.decompress);
  return await finish(reader, documents, layers, {
    ...options,
    hasBlobs: true,
    isSkopeo: opened.isSkopeo,
  });
}

/** Sees a `dir:` layout of skopeo as an OCI image layout. */
async function asLayout<F extends Files>(
  files: F,
): Promise<F & { isSkopeo?: boolean }> {
  const layout = await skopeoLayout({
    open: async (path) => (await files.open(path))?.source,
  });
  if (!layout) return files;
  return {
    ...files,
    isSkopeo: true,
    // The directories that an archive of a layout must have.
    isDirectory: () => true,
    async open(path) {
      const text = layout.documents.get(path);
      if (text !== undefined) {
        return { source: new Blob([utf8(text).slice()]), links: 0, path };
      }
      const own = layout.pathOf(path);
      return own === undefined ? undefined : await files.open(own);
    },
  };
}

/** Checks the layers that are left, the faces together, and sums up. */
async function finish(
  reader: DocumentReader,
  documents: Documents,
  layers: LayerReader,
  { compression, hasBlobs, isSkopeo, hasLinks }: VerifyOptions & {
    hasBlobs: boolean;
    hasLinks?: boolean;
    isSkopeo?: boolean | undefined;
  },
): Promise<Report> {
  const { findings } = reader;
  const { docker, oci, v1, faces } = documents;
  for (const image of [...docker, ...oci, ...v1?.images ?? []]) {
    await layers.checkImage(image.layers);
  }
  await reader.checkOtherBlobs(documents.named);
  checkFaces(documents, findings);
  findings.faces = faces;
  // skopeo says gzip of plain layers in such a layout, and reads them so.
  const found = findings.list().filter(({ rule }) =>
    !isSkopeo || rule !== "layer-compression"
  );
  return {
    faces: ALL_FACES.filter((face) => faces.has(face)),
    findings: found,
    engines: verdicts({
      faces,
      findings: found,
      compression,
      hasBlobs,
      hasPlatforms: oci.filter(({ isInner }) => isInner).length > 1,
      isSkopeo,
      hasLinks,
    }),
  };
}
