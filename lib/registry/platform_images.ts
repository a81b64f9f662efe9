import { InputError } from "../errors/input_error.ts";
import { jsonText } from "../formats/json_text.ts";
import { type ImageFiles, readDocument } from "../read/image_files.ts";
import type { Candidate } from "../read/choose_image.ts";
import {
  type BlobDescriptor,
  blobPath,
  isImage,
  nameIn,
  type OciManifest,
  type Platform,
  readOciIndex,
  readOciManifest,
  REF_NAME,
} from "../read/read_oci.ts";
import { utf8 } from "../streams/bytes.ts";
import { digestOfBytes, MEDIA, type StoredManifest } from "./manifest.ts";

/** One platform's image of an image file that may have several. */
export interface PlatformImage {
  /** The platform, as far as its image index says it. */
  platform: Platform;
  /** Names that the file has for it, with tags. */
  names: string[];
  /** Its manifest as it is. */
  manifest: StoredManifest;
  /** Its config and its layers, by their SHA-256 in hex. */
  blobs: string[];
  /** The same files, but with an index that lists this image alone. */
  files: ImageFiles;
}

/** An entry of `index.json`: an image, or an image index of several platforms. */
export interface TopImage {
  names: string[];
  /** What it is called within the layout: often a tag alone. */
  tags: string[];
  manifest: StoredManifest;
  /** All images that it leads to. */
  images: PlatformImage[];
  /** It itself and all documents that it leads to, each before those. */
  documents: StoredManifest[];
  /** What attestations have as blobs, by their SHA-256 in hex. */
  attached: string[];
  /** Whether all manifests that it lists are there. */
  isWhole: boolean;
}

/** Chooses of what an image index lists. */
export type ChooseListed = (listed: BlobDescriptor[]) => BlobDescriptor[];

/** Something that belongs to an image, such as a signature. */
export interface StoredArtifact {
  /** Digest of the image's manifest, such as `sha256:…`. */
  subject: string;
  manifest: StoredManifest;
  artifactType: string;
  annotations: Record<string, string>;
  /** Its config and its blobs, by their SHA-256 in hex. */
  blobs: string[];
}

/** What an OCI image layout has. */
export interface Layout {
  tops: TopImage[];
  artifacts: StoredArtifact[];
}

const MAX_DEPTH = 4;
const MAX_DOCUMENTS = 10_000;

/**
 * Lists what the index of an OCI image layout has. Attestations are no images;
 * what is listed but not there is passed over.
 *
 * @param files The image's files.
 * @param choose Which images to follow; all of them unless given.
 * @returns Nothing if the files are no OCI image layout.
 * @throws {InputError} If a document is malformed, damaged, or they never end.
 */
export async function readLayout(
  files: ImageFiles,
  choose: ChooseListed = (all) => all,
): Promise<Layout> {
  const artifacts: StoredArtifact[] = [];
  if (!await files.open("oci-layout")) return { tops: [], artifacts };
  const index = await readDocument(files, "index.json");
  if (index === undefined) return { tops: [], artifacts };
  const tops = new Map<string, TopImage>();
  for (const descriptor of readOciIndex(index)) {
    const name = nameIn(descriptor);
    const tag = descriptor.annotations.get(REF_NAME);
    const tags = tag === undefined ? [] : [tag];
    const known = tops.get(descriptor.digest);
    if (known) {
      if (name !== undefined) known.names.push(name);
      known.tags.push(...tags);
      continue;
    }
    const names = name === undefined ? [] : [name];
    const found = new Found(files, names, choose);
    const manifest = await found.follow(descriptor, 0);
    artifacts.push(...found.artifacts);
    if (!manifest || found.images.length === 0) continue;
    tops.set(descriptor.digest, {
      names,
      tags,
      manifest,
      images: found.images,
      documents: found.documents,
      attached: found.attached,
      isWhole: found.isWhole,
    });
  }
  return { tops: [...tops.values()], artifacts };
}

/** The images of a layout, each under its index: see {@linkcode readLayout}. */
export async function topImages(files: ImageFiles): Promise<TopImage[]> {
  return (await readLayout(files)).tops;
}

/** What a name or a digest chooses of what an index lists. */
export function asCandidate<T extends TopImage>(top: T): T & Candidate {
  const { manifest, names, tags, images } = top;
  return {
    ...top,
    id: manifest.digest,
    digests: [manifest.digest.replace("sha256:", "")],
    names: [...names, ...tags],
    platform: images.length === 1 ? images[0]!.platform : {},
  };
}

/** All images of a layout, each once. */
export async function platformImages(
  files: ImageFiles,
): Promise<PlatformImage[]> {
  const all = (await topImages(files)).flatMap(({ images }) => images);
  return [
    ...new Map(all.map((image) => [image.manifest.digest, image])).values(),
  ];
}

/** What one entry of an index leads to. */
class Found {
  readonly images: PlatformImage[] = [];
  readonly documents: StoredManifest[] = [];
  readonly artifacts: StoredArtifact[] = [];
  readonly attached: string[] = [];
  isWhole = true;
  readonly #files: ImageFiles;
  readonly #names: string[];
  readonly #choose: ChooseListed;
  readonly #seen = new Set<string>();

  constructor(files: ImageFiles, names: string[], choose: ChooseListed) {
    this.#files = files;
    this.#names = names;
    this.#choose = choose;
  }

  async follow(
    descriptor: BlobDescriptor,
    depth: number,
  ): Promise<StoredManifest | undefined> {
    if (depth > MAX_DEPTH) throw new InputError("Its image indexes never end");
    const path = blobPath(descriptor.digest);
    const text = await readDocument(this.#files, path);
    // docker save lists the platforms that were not pulled as well.
    if (text === undefined) {
      this.isWhole = false;
      return undefined;
    }
    const bytes = utf8(text);
    const digest = digestOfBytes(bytes);
    if (digest !== `sha256:${descriptor.digest}`) {
      throw new InputError(`${path} is damaged: its digest is ${digest}`);
    }
    const found = readOciManifest(text, path);
    const mediaType = descriptor.mediaType ??
      (Array.isArray(found) ? MEDIA.index : MEDIA.manifest);
    const manifest = { mediaType, digest, bytes };
    if (this.#seen.has(digest)) return manifest;
    this.#seen.add(digest);
    if (
      !Array.isArray(found) && depth === 0 &&
      (descriptor.artifactType !== undefined || found.subject)
    ) {
      this.#artifact(manifest, found);
      return manifest;
    }
    this.documents.push(manifest);
    if (this.documents.length > MAX_DOCUMENTS) {
      throw new InputError(`It has more than ${MAX_DOCUMENTS} manifests`);
    }
    if (Array.isArray(found)) {
      for (const one of this.#choose(found)) await this.follow(one, depth + 1);
      return manifest;
    }
    if (!isImage(descriptor)) {
      const blobs = [found.config, ...found.layers];
      this.attached.push(...blobs.map(({ digest }) => digest));
      return manifest;
    }
    this.images.push({
      platform: descriptor.platform,
      names: this.#names,
      manifest,
      blobs: [found.config, ...found.layers].map(({ digest }) => digest),
      files: alone(this.#files, manifest, this.#names),
    });
    return manifest;
  }

  #artifact(manifest: StoredManifest, found: OciManifest): void {
    const { subject, config, layers, annotations } = found;
    // Only what belongs to an image is found by those who ask for that image.
    if (!subject) return;
    this.artifacts.push({
      subject: `sha256:${subject.digest}`,
      manifest,
      artifactType: found.artifactType ?? config.mediaType ?? "",
      annotations: Object.fromEntries(annotations),
      blobs: [config, ...layers].map(({ digest }) => digest),
    });
  }
}

/** The same files with an index of one image. */
function alone(
  files: ImageFiles,
  { mediaType, digest, bytes }: StoredManifest,
  names: string[],
): ImageFiles {
  const index = jsonText({
    schemaVersion: 2,
    manifests: (names.length > 0 ? names : [undefined]).map((name) => ({
      mediaType,
      digest,
      size: bytes.length,
      ...(name !== undefined && {
        annotations: { "io.containerd.image.name": name },
      }),
    })),
  });
  return {
    hasRootfs: files.hasRootfs,
    open: (path) =>
      path === "index.json"
        ? Promise.resolve(new Blob([index]))
        : files.open(path),
  };
}
