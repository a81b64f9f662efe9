import { digestOf } from "./digest.ts";
import type { HistoryEntry } from "./image.ts";
import { readAppcManifest } from "./formats/read_appc.ts";
import { type ImageFields, readConfig } from "./formats/read_config.ts";
import {
  type FileSource,
  type ImageFiles,
  readDocument,
} from "./image_files.ts";

/** A layer as an image file holds it. */
export interface StoredLayer {
  /** Its bytes as they stand there, compressed or not. */
  source: FileSource;
  /** SHA-256 of these bytes in hex, where the image says it. */
  digest?: string;
  /** SHA-256 of the uncompressed layer in hex, where the image says it. */
  diffId?: string;
  /** Whether it is an ACI, whose files stand below rootfs/. */
  aci?: boolean;
}

/** What an image file holds. */
export interface StoredImage {
  /** Layers, lowest first. */
  layers: StoredLayer[];
  /** What its image config says. */
  fields: ImageFields;
  /** The history of its layers, where it has one. */
  history?: HistoryEntry[];
  /** Its names, with tags. */
  names: string[];
}

/** The platform wanted of an image index that has several. */
export interface Platform {
  os?: string;
  architecture?: string;
  variant?: string;
}

type Json = Record<string, unknown>;

/**
 * Reads an image: an isoc, what `docker save` or `podman save` writes, an OCI
 * image layout, or an ACI.
 *
 * @param files The image's files.
 * @param platform Which one to take, where an image index has several.
 * @throws {SyntaxError} If it is none of these, or its documents do not fit
 * together.
 */
export async function readImage(
  files: ImageFiles,
  platform: Platform = {},
): Promise<StoredImage> {
  const index = await readDocument(files, "index.json");
  if (index !== undefined && await files.open("oci-layout")) {
    return await readOci(files, parse("index.json", index), platform);
  }
  const manifest = await readDocument(files, "manifest.json");
  if (manifest !== undefined) {
    return await readDocker(files, parse("manifest.json", manifest));
  }
  const appc = await readDocument(files, "manifest");
  if (appc !== undefined && files.hasRootfs) return await readAci(files, appc);
  throw new SyntaxError(
    "It is no image: there is no index.json with oci-layout, no " +
      "manifest.json, and no appc manifest with rootfs/",
  );
}

/** Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset". */
async function readDocker(
  files: ImageFiles,
  document: unknown,
): Promise<StoredImage> {
  const entries = Array.isArray(document) ? document as Json[] : [];
  const [entry] = entries;
  if (!entry || entries.length > 1) {
    throw new SyntaxError(
      `manifest.json lists ${entries.length} images; one is wanted: save it ` +
        "alone",
    );
  }
  const config = await needed(files, text("Config", entry.Config));
  const document_ = parse("the image config", config) as Json;
  const paths = list(entry.Layers).map((path) => text("Layers", path));
  return {
    layers: await Promise.all(paths.map(async (path, i) => ({
      source: await neededFile(files, path),
      diffId: diffIds(document_)[i],
    }))),
    fields: readConfig(config),
    history: historyOf(document_),
    names: list(entry.RepoTags).map((name) => text("RepoTags", name)),
  };
}

/** OCI image-spec v1.1, "Image Layout" and "Image Index". */
async function readOci(
  files: ImageFiles,
  index: Json,
  platform: Platform,
): Promise<StoredImage> {
  const found = await choose(files, index, platform, 0);
  const manifest = parse("the image manifest", found.text);
  const config = await blob(files, manifest.config as Json);
  const document = parse("the image config", config);
  const layers = list(manifest.layers) as Json[];
  return {
    layers: await Promise.all(layers.map(async (descriptor, i) => {
      const digest = digestIn(descriptor);
      return {
        source: await neededFile(files, `blobs/sha256/${digest}`),
        digest,
        diffId: diffIds(document)[i],
      };
    })),
    fields: {
      ...readConfig(config),
    },
    history: historyOf(document),
    names: found.names,
  };
}

/** Follows an image index to the manifest of the platform wanted. */
async function choose(
  files: ImageFiles,
  index: Json,
  platform: Platform,
  depth: number,
): Promise<{ text: string; names: string[] }> {
  const all = (list(index.manifests) as Json[]).filter((descriptor) => {
    const { os, architecture } = (descriptor.platform ?? {}) as Platform;
    // BuildKit's attestations are no images.
    return !(os === "unknown" && architecture === "unknown");
  });
  const fits = all.filter(({ platform: given }) => {
    const has = (given ?? {}) as Platform;
    return (["os", "architecture", "variant"] as const).every((key) =>
      !platform[key] || !has[key] || platform[key] === has[key]
    );
  });
  const digests = new Set(fits.map(digestIn));
  if (digests.size !== 1) {
    const platforms = all.map(({ platform }) => {
      const { os, architecture, variant } = (platform ?? {}) as Platform;
      return [os, architecture, variant].filter(Boolean).join("/") || "any";
    });
    throw new SyntaxError(
      digests.size === 0
        ? `No image in it is for the platform wanted; it has ${
          platforms.join(", ") || "none"
        }`
        : `It holds several images (${platforms.join(", ")}): choose one ` +
          "with --platform, or save it alone",
    );
  }
  const [first] = fits;
  const document = await blob(files, first!);
  const parsed = parse("the image manifest", document);
  if (Array.isArray(parsed.manifests)) {
    if (depth > 3) throw new SyntaxError("Its image indexes never end");
    const inner = await choose(files, parsed, platform, depth + 1);
    return { ...inner, names: [...names(fits), ...inner.names] };
  }
  return { text: document, names: names(fits) };
}

function names(descriptors: Json[]): string[] {
  return descriptors.flatMap(({ annotations }) => {
    const notes = (annotations ?? {}) as Record<string, string>;
    const name = notes["io.containerd.image.name"] ??
      notes["org.opencontainers.image.ref.name"];
    // Most tools write the bare tag there, which names nothing.
    return name?.includes("/") || name?.includes(":") ? [name] : [];
  });
}

/** appc spec 0.8.11, or the archive that the script of 2015 wrote. */
async function readAci(
  files: ImageFiles,
  manifest: string,
): Promise<StoredImage> {
  const { name, fields } = readAppcManifest(manifest);
  const layer = await files.open("rootfs/layer.tar");
  if (layer && await files.open("repositories")) {
    return { layers: [{ source: layer }], fields, names: [name] };
  }
  const whole = await files.open("");
  if (!whole) throw new SyntaxError("An ACI must be a file");
  return { layers: [{ source: whole, aci: true }], fields, names: [name] };
}

/** A document among the blobs, its digest checked. */
async function blob(files: ImageFiles, descriptor: Json): Promise<string> {
  const digest = digestIn(descriptor);
  const document = await needed(files, `blobs/sha256/${digest}`);
  if (await digestOf(document) !== digest) {
    throw new SyntaxError(`blobs/sha256/${digest} has another digest`);
  }
  return document;
}

function digestIn(descriptor: Json | undefined): string {
  const digest = descriptor?.digest;
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(String(digest)) ?? [];
  if (!hex) throw new SyntaxError(`A descriptor's digest is ${digest}`);
  return hex;
}

function diffIds(config: Json): (string | undefined)[] {
  return list((config.rootfs as Json | undefined)?.diff_ids).map((id) =>
    /^sha256:([0-9a-f]{64})$/.exec(String(id))?.[1]
  );
}

function historyOf(config: Json): HistoryEntry[] | undefined {
  const entries = list(config.history);
  return entries.length > 0 ? entries as HistoryEntry[] : undefined;
}

async function needed(files: ImageFiles, path: string): Promise<string> {
  const document = await readDocument(files, path);
  if (document === undefined) throw new SyntaxError(`${path} is missing`);
  return document;
}

async function neededFile(
  files: ImageFiles,
  path: string,
): Promise<FileSource> {
  const file = await files.open(path);
  if (!file) throw new SyntaxError(`The layer ${path} is missing`);
  return file;
}

function parse(name: string, text: string): Json {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`${name} is no JSON: ${(error as Error).message}`);
  }
  if (typeof document !== "object" || document === null) {
    throw new SyntaxError(`${name} holds no object`);
  }
  return document as Json;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(name: string, value: unknown): string {
  if (typeof value !== "string") {
    throw new SyntaxError(`${name} in manifest.json is no string`);
  }
  return value;
}
