import type { Document, DocumentReader } from "./document_reader.ts";
import { IMAGE_CONFIG } from "./schemas.ts";
import { isObject, type Json } from "./shape.ts";

/** A layer as an image's documents name it. */
export interface LayerRef {
  /** Its path in the archive. */
  path: string;
  /** SHA-256 that its uncompressed bytes must have, in hex. */
  diffId?: string;
  mediaType?: string;
}

/** One image of a face. */
export interface FaceImage {
  /** The document that names it, as findings show it. */
  entry: string;
  config: Document;
  /** Lowest first. */
  layers: LayerRef[];
  /** Its names with tags. */
  names: string[];
  /** Bare tags that descriptors refer to it by. */
  tags?: string[];
  /** Annotations of its manifest. */
  annotations?: Record<string, string>;
  /** The platform that its descriptor says. */
  platform?: Json;
  /** Whether an index below index.json lists it. */
  isInner?: boolean;
}

/** Paths that documents name. */
export type Named = Set<string>;

/** Reads an image config. */
export function readConfig(
  reader: DocumentReader,
  path: string,
): Promise<Document | undefined> {
  return reader.read(path, { rule: "oci-schema", shape: IMAGE_CONFIG });
}

/** Gives layers the diff IDs of their config. */
export function withDiffIds(
  reader: DocumentReader,
  entry: string,
  config: Document,
  layers: LayerRef[],
): LayerRef[] {
  const { rootfs, history } = (config.value ?? {}) as Json;
  const ids = isObject(rootfs) ? strings(rootfs.diff_ids) : [];
  if (ids.length !== layers.length) {
    reader.findings.add(
      "diff-id",
      entry,
      `it has ${layers.length} layers and its config lists ${ids.length}`,
    );
    return layers;
  }
  if (Array.isArray(history) && history.length > 0) {
    const named = history.filter((one) => !one?.empty_layer).length;
    if (named !== layers.length) {
      reader.findings.add(
        "history-layers",
        entry,
        `its config's history names ${named} layers, there are ${layers.length}`,
      );
    }
  }
  return layers.map((layer, i) => ({
    ...layer,
    diffId: ids[i]!.replace(/^sha256:/, ""),
  }));
}

/** The texts in a list; none if it is no list. */
export function strings(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter((one) => typeof one === "string")
    : [];
}
