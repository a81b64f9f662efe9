import { BlobFace } from "./blob_face.ts";
import { DockerV1Face } from "./docker_v1_face.ts";
import type { Documents } from "./documents.ts";
import { type Head, readDocuments, readHead } from "./head.ts";
import { LayerFace } from "./layer_face.ts";
import { FaceDecider, type FaceEntries } from "./face_entries.ts";
import { passEntries, type PassOptions } from "./pass.ts";
import { plainLayers } from "./plain_layers.ts";
import { FlatFace, RootfsFace } from "./rootfs_face.ts";
import type { Face } from "../image/face.ts";
import type { Spool } from "../rootfs/layer_stack.ts";
import { fromStream } from "../streams/source.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";
import { FaceMissingError } from "./face_missing_error.ts";

/** What can be exported: a face, or the layer alone. */
export type ExportFace = Exclude<Face, "containerd"> | "rootfs";

/** One face of an isoc, ready to be streamed. */
export interface Exported {
  /** The image's names, with tags, as far as they are known at the beginning. */
  names: string[];
  /** Whether the archive had to be read through before. */
  twice: boolean;
  /** The bytes of it. */
  chunks: AsyncGenerator<Uint8Array>;
}

/**
 * Takes one face out of an isoc: an archive that its engines know as its own,
 * without the others' files. It takes archives that the script of 2015 wrote,
 * and makes the documents that they lack.
 *
 * The archive is read once, in constant memory, and passes through as it comes,
 * if its documents come first, as ciso writes them. If not, it is read through
 * first.
 *
 * Layers and documents are checked against their digests as they pass. When one
 * is damaged the stream fails before the last bytes of it, so that no reader can
 * take it for whole.
 *
 * @param chunks The isoc, uncompressed. Chunks are changed and released.
 * @param face What to take out. `rootfs` is the layer itself, byte for byte; of
 * several layers it is the tree that they make together.
 * @param spool Holds a copy of the archive if it must be read twice.
 * @returns The archive of that face.
 * @throws {InputError} If it is no isoc, or has nothing to make that face of.
 * The stream throws it too, for what comes later.
 */
export async function exportFace(
  chunks: AsyncIterable<Uint8Array>,
  face: ExportFace,
  spool: Spool,
  { drain = false, hashBeside, copies }: PassOptions = {},
): Promise<Exported> {
  const head = await readHead(chunks);
  let { documents, blocks } = head;
  const twice = !isReady(face, head);
  if (twice) {
    const source = await spool(blocks);
    documents = await readDocuments(source);
    blocks = wholeBlocks(fromStream(source.stream()));
  }
  const decider = new FaceDecider(entriesOf(face, documents), documents);
  return {
    names: documents.names,
    twice,
    chunks: passEntries(blocks, decider, {
      drain: drain && !twice,
      hashBeside,
      copies,
    }),
  };
}

/** Whether all is known that must be known before the first file comes. */
function isReady(face: ExportFace, { documents, first }: Head): boolean {
  if (documents.complete) return true;
  const { texts, v1, image, links } = documents;
  // Where it is, is sure once something of it has come.
  const knowsV1 = v1 !== undefined &&
    (first === `${v1.place}layer.tar` || links.has(v1.place) ||
      texts.has(`${v1.place}json`));
  switch (face) {
    case "docker":
    case "oci":
      return texts.has("manifest.json") || texts.has("index.json") || knowsV1;
    case "docker-v1":
      return knowsV1
        ? links.size > 0 || first === `${v1!.place}layer.tar`
        : image !== undefined && documents.config !== undefined;
    case "rootfs":
      return image ? documents.config !== undefined : knowsV1;
    case "appc":
    case "bundle":
    case "lxd":
      return knowsV1;
  }
}

function entriesOf(face: ExportFace, documents: Documents): FaceEntries {
  switch (face) {
    case "docker":
      return new BlobFace(documents, false);
    case "oci":
      return new BlobFace(documents, true);
    case "docker-v1":
      return new DockerV1Face(documents);
    case "appc":
    case "bundle":
    case "lxd":
      return new RootfsFace(documents, face);
    case "rootfs": {
      const layers = plainLayers(documents);
      if (!layers) {
        throw new FaceMissingError(
          "The archive holds no layer; ciso convert makes an isoc of it that does",
        );
      }
      return layers.length === 1
        ? new LayerFace(documents, layers[0]!)
        : new FlatFace(documents);
    }
  }
}
