import { shown, shownList, shownWord } from "../errors/shown.ts";
import { parseJson } from "../formats/json_text.ts";
import { InputError } from "../errors/input_error.ts";
import { textDigest } from "../streams/sha256.ts";
import type { HistoryEntry } from "../image/image.ts";
import { readAppcManifest } from "./read_appc.ts";
import { type ImageFields, readConfig } from "./read_config.ts";
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
  /** Absolute paths of the files that an ACI shows, where it hides others. */
  visible?: string[];
}

/** What an image file holds. */
export interface StoredImage {
  /** Layers, lowest first. */
  layers: StoredLayer[];
  /** What its image config says. */
  fields: ImageFields;
  /** The image config itself, JSON, where it has one. */
  config?: string;
  /** The history of its layers, where it has one. */
  history?: HistoryEntry[];
  /** Annotations of its manifest. */
  annotations?: Record<string, string>;
  /** Its names, with tags. */
  names: string[];
  /** What the image says and an isoc cannot, in sentences. */
  notes?: string[];
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
 * image layout, or an ACI. The digests of its documents are checked here, those
 * of its layers when they are read.
 *
 * @param files The image's files.
 * @param platform Which one to take, where an image index has several.
 * @returns Its layers, to be read, and what its documents say.
 * @throws {InputError} If it is none of these, or its documents do not fit
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
  if (await files.open("repositories")) {
    throw new InputError(
      "It is an archive of Docker 1.9 or older: load it into a newer Docker " +
        "and save it there",
    );
  }
  throw new InputError(
    "It is no image: there is no index.json with oci-layout, no " +
      "manifest.json, and no appc manifest with rootfs/ (for a rootfs, leave " +
      "out --from or convert)",
  );
}

/** Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset". */
async function readDocker(
  files: ImageFiles,
  document: unknown,
): Promise<StoredImage> {
  const entries = list(document) as Json[];
  const [entry] = entries;
  if (!entry || entries.length > 1) {
    throw new InputError(
      `manifest.json lists ${entries.length} images where one is wanted: ` +
        "save each in a file of its own",
    );
  }
  const path = text("Config", entry.Config);
  const config = await needed(files, path);
  // Docker and all that write its archives name the file by its digest.
  const [, digest] = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(path) ?? [];
  if (digest) checkDigest(path, config, digest);
  const paths = list(entry.Layers).map((path) => text("Layers", path));
  const { diffIds, ...rest } = readConfigOf(config, paths.length);
  return {
    ...rest,
    layers: await Promise.all(paths.map(async (path, i) => ({
      source: await neededFile(files, path),
      diffId: diffIds[i],
    }))),
    names: list(entry.RepoTags).map((name) => text("RepoTags", name)),
  };
}

/** OCI image-spec v1.1, "Image Layout", "Image Index" and "Image Manifest". */
async function readOci(
  files: ImageFiles,
  index: Json,
  platform: Platform,
): Promise<StoredImage> {
  const found = await choose(files, index, platform, 0);
  const manifest = parse("The image manifest", found.text);
  const descriptor = (manifest.config ?? {}) as Json;
  const mediaType = String(descriptor.mediaType);
  if (!/image\.(config\.)?v1\+json$/.test(mediaType)) {
    throw new InputError(
      `It is no container image: its config is ${shownWord(mediaType)}`,
    );
  }
  const config = await blob(files, descriptor);
  const layers = list(manifest.layers) as Json[];
  const { diffIds, ...rest } = readConfigOf(config, layers.length);
  return {
    ...rest,
    layers: await Promise.all(layers.map(async (descriptor, i) => {
      const digest = digestIn(descriptor);
      return {
        source: await neededFile(files, `blobs/sha256/${digest}`),
        digest,
        diffId: diffIds[i],
      };
    })),
    annotations: stringsOf(manifest.annotations),
    names: found.names,
  };
}

/** What an image config says of an image with that many layers. */
function readConfigOf(config: string, layers: number) {
  const document = parse("The image config", config);
  const ids = list((document.rootfs as Json | undefined)?.diff_ids);
  if (layers === 0) throw new InputError("The image has no layers");
  if (ids.length !== layers) {
    throw new InputError(
      `The image has ${layers} layers, but its config lists ${ids.length}`,
    );
  }
  const history = list(document.history) as HistoryEntry[];
  return {
    config,
    fields: readConfig(config),
    diffIds: ids.map((id) => digestIn({ digest: id })),
    ...(history.length > 0 && { history }),
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
  let fits = all.filter(({ platform: given }) => {
    const has = (given ?? {}) as Platform;
    return (["os", "architecture", "variant"] as const).every((key) =>
      !platform[key] || !has[key] || platform[key] === has[key]
    );
  });
  if (new Set(fits.map(digestIn)).size > 1) {
    // docker save lists the platforms that were not pulled as well.
    const present = await Promise.all(
      fits.map((one) => files.open(`blobs/sha256/${digestIn(one)}`)),
    );
    fits = fits.filter((_, i) => present[i]);
  }
  const digests = new Set(fits.map(digestIn));
  if (digests.size !== 1) {
    const platforms = all.map(({ platform, annotations }) => {
      const { os, architecture, variant } = (platform ?? {}) as Platform;
      return [os, architecture, variant].filter(Boolean).join("/") ||
        stringsOf(annotations)?.[REF_NAME] || "any platform";
    });
    throw new InputError(
      digests.size === 0
        ? `No image in it is for the platform wanted; it has ${
          shownList(platforms, 8, shownWord) || "none"
        }`
        : `It holds several images (${
          shownList(platforms, 8, shownWord)
        }): choose one ` +
          "with --platform, or save it alone",
    );
  }
  const [first] = fits;
  const document = await blob(files, first!);
  const parsed = parse("The image manifest", document);
  if (Array.isArray(parsed.manifests)) {
    if (depth > 3) throw new InputError("Its image indexes never end");
    const inner = await choose(files, parsed, platform, depth + 1);
    return { ...inner, names: [...namesOf(fits), ...inner.names] };
  }
  return { text: document, names: namesOf(fits) };
}

const REF_NAME = "org.opencontainers.image.ref.name";

function namesOf(descriptors: Json[]): string[] {
  return descriptors.flatMap(({ annotations }) => {
    const notes = stringsOf(annotations) ?? {};
    const name = notes["io.containerd.image.name"] ?? notes[REF_NAME];
    // Most tools write the bare tag there, which names nothing.
    return name?.includes("/") || name?.includes(":") ? [name] : [];
  });
}

/** appc spec 0.8.11, or the archive that the script of 2015 wrote. */
async function readAci(
  files: ImageFiles,
  manifest: string,
): Promise<StoredImage> {
  const image = readAppcManifest(manifest);
  const repositories = await readDocument(files, "repositories");
  const layer = await files.open("rootfs/layer.tar");
  if (layer && repositories !== undefined) {
    const { os, architecture, variant } = image.fields;
    const v1 = await readDocument(files, "rootfs/json");
    return {
      layers: [{ source: layer }],
      // Docker's document tells the command from the entrypoint.
      fields: v1 === undefined
        ? image.fields
        : { os, architecture, variant, ...readConfig(v1) },
      names: namesIn(parse("repositories", repositories)),
    };
  }
  const whole = await files.open("");
  if (!whole) throw new InputError("An ACI must be a file");
  const { visible, fields, annotations, notes, name } = image;
  return {
    layers: [{ source: whole, aci: true, ...(visible && { visible }) }],
    fields,
    annotations,
    notes,
    names: [name],
  };
}

/** The names in Docker v1's `repositories`. */
function namesIn(repositories: Json): string[] {
  return Object.entries(repositories).flatMap(([name, tags]) =>
    Object.keys(tags as Json).map((tag) => `${name}:${tag}`)
  );
}

/** A document among the blobs, its digest checked. */
async function blob(files: ImageFiles, descriptor: Json): Promise<string> {
  const digest = digestIn(descriptor);
  const path = `blobs/sha256/${digest}`;
  const document = await needed(files, path);
  checkDigest(path, document, digest);
  return document;
}

function checkDigest(
  path: string,
  document: string,
  digest: string,
): void {
  const found = textDigest(document);
  if (found !== digest) {
    throw new InputError(
      `${shownWord(path)} is damaged: its digest is sha256:${found}`,
    );
  }
}

function digestIn(descriptor: Json | undefined): string {
  const digest = descriptor?.digest;
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(String(digest)) ?? [];
  if (!hex) {
    throw new InputError(
      `Digests must be sha256: and 64 hex digits, not ${shown(digest)}`,
    );
  }
  return hex;
}

async function needed(files: ImageFiles, path: string): Promise<string> {
  const document = await readDocument(files, path);
  if (document === undefined) {
    throw new InputError(`${shownWord(path)} is missing`);
  }
  return document;
}

async function neededFile(
  files: ImageFiles,
  path: string,
): Promise<FileSource> {
  const file = await files.open(path);
  if (!file) throw new InputError(`The layer ${shownWord(path)} is missing`);
  return file;
}

function parse(name: string, text: string): Json {
  const document = parseJson(shownWord(name), text);
  if (typeof document !== "object" || document === null) {
    throw new InputError(`${shownWord(name)} holds no object`);
  }
  return document as Json;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** An object's strings; `undefined` if it has none. */
function stringsOf(value: unknown): Record<string, string> | undefined {
  const entries = Object.entries((value ?? {}) as Json).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

function text(name: string, value: unknown): string {
  if (typeof value !== "string") {
    throw new InputError(`${name} in manifest.json is no string`);
  }
  return value;
}
