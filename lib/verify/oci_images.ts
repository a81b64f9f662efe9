import { shown } from "../errors/shown.ts";
import { jsonText } from "../formats/json_text.ts";
import { platformKey } from "../formats/values/platform.ts";
import type { Document, DocumentReader } from "./document_reader.ts";
import {
  type FaceImage,
  type Named,
  readConfig,
  withDiffIds,
} from "./face_image.ts";
import { OCI_INDEX, OCI_LAYOUT, OCI_MANIFEST } from "./schemas.ts";
import { isObject, type Json } from "./shape.ts";

const REF_NAME = "org.opencontainers.image.ref.name";
const CONTAINERD_NAME = "io.containerd.image.name";

/** Reads the OCI image layout. */
export async function readOciImages(
  reader: DocumentReader,
  named: Named,
): Promise<FaceImage[]> {
  const rule = "oci-schema";
  const layout = await reader.read("oci-layout", { rule, shape: OCI_LAYOUT });
  const index = await reader.read("index.json", { rule, shape: OCI_INDEX });
  if (!layout !== !index) {
    const [there, missing] = layout
      ? ["oci-layout", "index.json"]
      : ["index.json", "oci-layout"];
    reader.findings.add(
      "face-incomplete",
      shown(there),
      `there is no ${missing}`,
    );
  }
  if (!index) return [];
  const images: FaceImage[] = [];
  await readIndex(reader, shown("index.json"), index, [], {
    named,
    images,
    indexes: new Set(),
  }, 0);
  checkReferences(reader, index);
  return images;
}

/** Checks that no two descriptors of the index have one reference name. */
function checkReferences(reader: DocumentReader, index: Document): void {
  const seen = new Set<string>();
  const named = new Map<string, unknown>();
  const tell = (rule: "tag-repeated" | "name-repeated", message: string) =>
    reader.findings.add(rule, shown("index.json"), message);
  for (const descriptor of descriptors(index.value, "manifests")) {
    const annotations = annotationsOf(descriptor);
    const tag = annotations[REF_NAME];
    if (tag !== undefined && seen.has(tag)) {
      tell("tag-repeated", `two descriptors are named ${shown(tag)}`);
    }
    if (tag !== undefined) seen.add(tag);
    const name = annotations[CONTAINERD_NAME];
    if (name === undefined) continue;
    const { digest } = descriptor;
    if (named.has(name) && named.get(name) !== digest) {
      tell("name-repeated", `two images are named ${shown(name)}`);
    }
    named.set(name, digest);
  }
}

/** Checks that an index has one image for each platform. */
function checkPlatforms(
  reader: DocumentReader,
  entry: string,
  all: Json[],
): void {
  const seen = new Map<string, unknown>();
  for (const { platform, digest } of all) {
    if (!isObject(platform)) continue;
    const { os, architecture, variant, ...rest } = platform;
    // Attestations are for no platform.
    if (os === "unknown" || typeof architecture !== "string") continue;
    const text = platformKey({
      os: textOf(os),
      architecture,
      variant: textOf(variant) || undefined,
    });
    // Windows has os.version, too.
    const key = text + jsonText(rest);
    if (seen.has(key) && seen.get(key) !== digest) {
      reader.findings.add(
        "platform-repeated",
        entry,
        `two images are for ${shown(text)}`,
      );
    }
    seen.set(key, digest);
  }
}

async function readIndex(
  reader: DocumentReader,
  entry: string,
  index: Document,
  names: string[],
  found: { named: Named; images: FaceImage[]; indexes: Set<string> },
  depth: number,
): Promise<void> {
  const all = descriptors(index.value, "manifests");
  const paths = all.map(blobPath);
  if (depth > 0) checkPlatforms(reader, entry, all);
  const present = await Promise.all(
    paths.map(async (path) =>
      path !== undefined && !!await reader.files.open(path)
    ),
  );
  for (const [i, descriptor] of all.entries()) {
    const path = paths[i];
    if (path === undefined) continue;
    found.named.add(path);
    // docker save lists the platforms that were not pulled as well.
    if (!present[i] && depth > 0 && present.some(Boolean)) {
      reader.findings.add(
        "platform-missing",
        entry,
        `it lists ${shown(path)}, which is not there`,
      );
      continue;
    }
    const own = namesOf(descriptor);
    const type = textOf(descriptor.mediaType);
    const rule = "oci-schema";
    const isIndex = /index|manifest\.list/.test(type);
    if (isIndex && depth < 4) {
      // Each index once, however many others name it.
      if (found.indexes.has(path)) continue;
      found.indexes.add(path);
      const inner = await reader.read(path, { rule, shape: OCI_INDEX });
      if (depth > 0) {
        reader.findings.add(
          "index-depth",
          entry,
          `it lists the image index ${shown(path)}`,
        );
      }
      if (checkDescriptor(reader, entry, descriptor, path, inner)) {
        const all = [...names, ...own];
        await readIndex(reader, shown(path), inner!, all, found, depth + 1);
      }
      continue;
    }
    if (!/manifest/.test(type)) {
      await checkOther(reader, entry, descriptor, path);
      continue;
    }
    const manifest = await reader.read(path, { rule, shape: OCI_MANIFEST });
    if (!checkDescriptor(reader, entry, descriptor, path, manifest)) continue;
    const image = await readManifest(reader, path, manifest!, found.named);
    if (!image) continue;
    const same = found.images.find(({ entry }) => entry === image.entry);
    const tags = tagsOf(descriptor);
    if (same) {
      same.names.push(...own);
      same.tags!.push(...tags);
    } else {
      found.images.push({
        ...image,
        tags,
        names: [...names, ...own],
        isInner: depth > 0,
        ...(isObject(descriptor.platform) && { platform: descriptor.platform }),
      });
    }
  }
}

async function readManifest(
  reader: DocumentReader,
  path: string,
  manifest: Document,
  named: Named,
): Promise<FaceImage | undefined> {
  if (!isObject(manifest.value)) return undefined;
  const entry = shown(path);
  const configDescriptor = manifest.value.config;
  const layers = descriptors(manifest.value, "layers");
  for (const descriptor of layers) {
    const path = blobPath(descriptor);
    if (path === undefined) continue;
    named.add(path);
    // Layers of a licence that forbids it are elsewhere.
    if (Array.isArray(descriptor.urls) && !await reader.files.open(path)) {
      continue;
    }
    await checkOther(reader, entry, descriptor, path);
  }
  if (!isObject(configDescriptor)) return undefined;
  const configPath = blobPath(configDescriptor);
  if (configPath === undefined) return undefined;
  named.add(configPath);
  const type = textOf(configDescriptor.mediaType);
  // Others are artifacts, which no engine runs; so are build attestations.
  const isImage = /image(\.config)?\.v1\+json$/.test(type) &&
    !layers.some(({ mediaType }) => /in-toto/.test(textOf(mediaType)));
  if (!isImage) {
    await checkOther(reader, entry, configDescriptor, configPath);
    return undefined;
  }
  const config = await readConfig(reader, configPath);
  if (!checkDescriptor(reader, entry, configDescriptor, configPath, config)) {
    return undefined;
  }
  const refs = layers.flatMap((descriptor) => {
    const path = blobPath(descriptor);
    const mediaType = textOf(descriptor.mediaType);
    return path === undefined ? [] : [{ path, mediaType }];
  });
  return {
    entry,
    config: config!,
    layers: withDiffIds(reader, entry, config!, refs),
    names: [],
    annotations: annotationsOf(manifest.value),
  };
}

/** Checks size and presence of a document that a descriptor names. */
function checkDescriptor(
  reader: DocumentReader,
  entry: string,
  descriptor: Json,
  path: string,
  document: Document | undefined,
): boolean {
  if (!document) {
    reader.findings.add(
      "blob-missing",
      entry,
      `it names ${shown(path)}, which is not there or too large`,
    );
    return false;
  }
  checkSize(reader, entry, descriptor, path, document.size);
  return true;
}

/** The same for any other blob. */
async function checkOther(
  reader: DocumentReader,
  entry: string,
  descriptor: Json,
  path: string,
): Promise<void> {
  const file = await reader.files.open(path);
  if (file) {
    return checkSize(reader, entry, descriptor, path, file.source.size);
  }
  reader.findings.add(
    "blob-missing",
    entry,
    `it names ${shown(path)}, which is not there`,
  );
}

function checkSize(
  reader: DocumentReader,
  entry: string,
  { size }: Json,
  path: string,
  found: number,
): void {
  if (size === found) return;
  reader.findings.add(
    "blob-size",
    entry,
    `it says that ${shown(path)} has ${shown(size)} bytes, which has ${found}`,
  );
}

function namesOf(descriptor: Json): string[] {
  const notes = annotationsOf(descriptor);
  const name = notes[CONTAINERD_NAME];
  if (name !== undefined) return [name];
  const reference = notes[REF_NAME];
  // Most tools write the bare tag there, which names nothing.
  return reference && /[/:]/.test(reference) ? [reference] : [];
}

/** The reference name of a descriptor, where it is a bare tag. */
function tagsOf(descriptor: Json): string[] {
  const reference = annotationsOf(descriptor)[REF_NAME];
  return reference === undefined || /[/:]/.test(reference) ? [] : [reference];
}

function annotationsOf({ annotations }: Json): Record<string, string> {
  if (!isObject(annotations)) return {};
  return Object.fromEntries(
    Object.entries(annotations).filter((pair): pair is [string, string] =>
      typeof pair[1] === "string"
    ),
  );
}

/** A text; an empty one in place of anything else, of which the schema tells. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function descriptors(value: unknown, key: string): Json[] {
  const list = isObject(value) ? value[key] : undefined;
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function blobPath({ digest }: Json): string | undefined {
  return typeof digest === "string" && /^[a-z0-9+._-]+:[\w=-]+$/.test(digest)
    ? `blobs/${digest.replace(":", "/")}`
    : undefined;
}
