import { shown } from "../errors/shown.ts";
import type { Document, DocumentReader } from "./document_reader.ts";
import {
  type FaceImage,
  type Named,
  readConfig,
  withDiffIds,
} from "./face_image.ts";
import { checkNamedBlob, checkNamedDocument } from "./named_blob.ts";
import {
  annotationsOf,
  blobPath,
  descriptors,
  textOf,
} from "./oci_descriptor.ts";
import { isObject, type Json } from "./shape.ts";

/**
 * Reads the image of an image manifest.
 *
 * @param path Where the manifest is.
 * @param named Gets the paths that it names.
 * @returns `undefined` if it is an artifact, or lacks its image config.
 */
export async function readOciManifest(
  reader: DocumentReader,
  path: string,
  manifest: Document,
  named: Named,
): Promise<FaceImage | undefined> {
  if (!isObject(manifest.value)) return undefined;
  const entry = shown(path);
  const layers = descriptors(manifest.value, "layers");
  await checkLayers(reader, entry, layers, named);
  const descriptor = manifest.value.config;
  if (!isObject(descriptor)) return undefined;
  const configPath = blobPath(descriptor);
  if (configPath === undefined) return undefined;
  named.add(configPath);
  const blob = { entry, descriptor, path: configPath };
  if (!isImage(descriptor, layers)) {
    await checkNamedBlob(reader, blob);
    return undefined;
  }
  const config = await readConfig(reader, configPath);
  if (!checkNamedDocument(reader, blob, config)) return undefined;
  const refs = layers.flatMap((layer) => {
    const path = blobPath(layer);
    const mediaType = textOf(layer.mediaType);
    return path === undefined ? [] : [{ path, mediaType }];
  });
  return {
    entry,
    config,
    layers: withDiffIds(reader, entry, config, refs),
    names: [],
    annotations: Object.fromEntries(annotationsOf(manifest.value)),
  };
}

async function checkLayers(
  reader: DocumentReader,
  entry: string,
  layers: Json[],
  named: Named,
): Promise<void> {
  for (const descriptor of layers) {
    const path = blobPath(descriptor);
    if (path === undefined) continue;
    named.add(path);
    // Layers of a licence that forbids it are elsewhere.
    if (Array.isArray(descriptor.urls) && !await reader.files.open(path)) {
      continue;
    }
    await checkNamedBlob(reader, { entry, descriptor, path });
  }
}

/** Whether it is no artifact, which no engine runs, nor a build attestation. */
function isImage(config: Json, layers: Json[]): boolean {
  return /image(\.config)?\.v1\+json$/.test(textOf(config.mediaType)) &&
    !layers.some(({ mediaType }) => /in-toto/.test(textOf(mediaType)));
}
