import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { jsonText } from "../formats/json_text.ts";
import { parseName } from "../image/name.ts";
import type { FileSource, ImageFiles } from "../read/image_files.ts";
import { hasConfigLayers } from "../read/stored_image.ts";
import type { ImageChoice } from "../read/choose_image.ts";
import { readImage } from "../read/open_image.ts";
import { blobPath } from "../read/read_oci.ts";
import { utf8 } from "../streams/bytes.ts";
import { compressionOf, LOOKED_AT } from "../streams/compression.ts";
import { sha256 } from "../streams/sha256.ts";
import { fromStream, readAt } from "../streams/source.ts";
import type { ImageParts } from "./copy_image.ts";
import { digestOfBytes, MEDIA, type StoredManifest } from "./manifest.ts";
import {
  type Layout,
  readLayout,
  type StoredArtifact,
} from "./platform_images.ts";
import type { Descriptor } from "./referrers.ts";

/** A repository as a registry shows it. */
export interface ServedRepository {
  /** Manifests by tag. */
  tags: Map<string, StoredManifest>;
  /** Manifests and image indexes by digest. */
  manifests: Map<string, StoredManifest>;
  /** Layers and configs by digest. */
  blobs: Map<string, FileSource>;
  /** What belongs to a manifest, by that manifest's digest. */
  referrers: Map<string, Descriptor[]>;
}

/** Repositories by name. */
export type ServedImages = Map<string, ServedRepository>;

/**
 * Adds an image file to what a registry serves. Nothing is copied: layers are
 * read from the file when a client asks.
 *
 * @param images What is served already; changed.
 * @param files The image's files.
 * @param names Names to serve it by; those in the file unless given.
 * @param home Repository of images that have a tag alone, as in the layouts of
 * skopeo and umoci.
 * @throws {InputError} If it is no image, or has no name.
 */
export async function addImage(
  images: ServedImages,
  files: ImageFiles,
  names: readonly string[] = [],
  home?: string,
): Promise<void> {
  const layout = await readLayout(files);
  const found = layout.tops.length > 0
    ? await fromLayout(files, layout)
    : await fromImage(files);
  const used = names.length > 0
    ? names.map((name) => ({ name, manifest: found.tops[0]!.manifest }))
    : found.tops.flatMap(({ names, tags = [], manifest }) => {
      const own = names.length > 0 || home === undefined
        ? names
        : tags.map((tag) => `${home}:${tag}`);
      return own.map((name) => ({ name, manifest }));
    });
  if (names.length > 0 && new Set(found.tops.map(digestOfTop)).size > 1) {
    throw new InputError(
      `It holds ${found.tops.length} images: --name can name only one`,
    );
  }
  if (used.length === 0) {
    throw new InputError("The image has no name: give one with --name");
  }
  for (const { name, manifest } of used) {
    const { path: whole, tag } = parseName(name);
    // Docker Hub's own directory is in no name that people write.
    const path = whole.replace(/^library\//, "");
    const repository = images.get(path) ??
      {
        tags: new Map(),
        manifests: new Map(),
        blobs: new Map(),
        referrers: new Map(),
      };
    images.set(path, repository);
    const other = repository.tags.get(tag);
    if (other && other.digest !== manifest.digest) {
      throw new InputError(`Two images have the name ${shown(name)}`);
    }
    repository.tags.set(tag, manifest);
    for (const [digest, one] of found.manifests) {
      repository.manifests.set(digest, one);
    }
    for (const [digest, blob] of found.blobs) {
      repository.blobs.set(digest, blob);
    }
    addReferrers(repository, found.artifacts);
  }
}

function addReferrers(
  { referrers }: ServedRepository,
  artifacts: readonly StoredArtifact[],
): void {
  for (const { subject, manifest, artifactType, annotations } of artifacts) {
    const { mediaType, digest, bytes } = manifest;
    const known = referrers.get(subject) ?? [];
    if (known.some((one) => one.digest === digest)) continue;
    referrers.set(subject, [...known, {
      mediaType,
      digest,
      size: bytes.length,
      artifactType,
      ...(Object.keys(annotations).length > 0 && { annotations }),
    }]);
  }
}

/** What is in one image file. */
interface Found {
  /** What has names: the manifest or the index of each image. */
  tops: { names: string[]; tags?: string[]; manifest: StoredManifest }[];
  manifests: Map<string, StoredManifest>;
  blobs: Map<string, FileSource>;
  artifacts: StoredArtifact[];
}

const digestOfTop = ({ manifest }: { manifest: StoredManifest }) =>
  manifest.digest;

/** OCI image-spec v1.1, "Image Layout": its manifests as they are. */
async function fromLayout(
  files: ImageFiles,
  { tops, artifacts }: Layout,
): Promise<Found> {
  const found: Found = {
    tops,
    manifests: new Map(),
    blobs: new Map(),
    artifacts,
  };
  const documents = [
    ...tops.flatMap(({ documents }) => documents),
    ...artifacts.map(({ manifest }) => manifest),
  ];
  for (const one of documents) found.manifests.set(one.digest, one);
  const parts = [...tops.flatMap(({ images }) => images), ...artifacts];
  const digests = [
    ...parts.flatMap(({ blobs }) => blobs),
    ...tops.flatMap(({ attached }) => attached),
  ];
  for (const digest of digests) {
    if (found.blobs.has(`sha256:${digest}`)) continue;
    const blob = await files.open(blobPath(digest));
    if (!blob) throw new InputError(`${blobPath(digest)} is missing`);
    found.blobs.set(`sha256:${digest}`, blob);
  }
  return found;
}

/**
 * The parts of an image without an OCI layout: a manifest is made for it, and
 * its layers stay as they are.
 *
 * @param files The image's files.
 * @param choice Which image.
 * @throws {InputError} If it has no image config.
 */
export async function madeParts(
  files: ImageFiles,
  choice: ImageChoice,
): Promise<ImageParts> {
  const { tops, blobs } = await fromImage(files, choice);
  const [{ manifest, names }] = tops as [Found["tops"][number]];
  return { names, top: manifest, documents: [], blobs };
}

/** An archive without an OCI layout: a manifest is made for it. */
async function fromImage(
  files: ImageFiles,
  choice: ImageChoice = {},
): Promise<Found> {
  const { base, layers: stored, names } = await readImage(files, choice);
  if (base.config === undefined || !hasConfigLayers(stored)) {
    throw new InputError(
      "It has no image config that engines could pull: make an isoc of it " +
        "with ciso convert",
    );
  }
  const found: Found = {
    tops: [],
    manifests: new Map(),
    blobs: new Map(),
    artifacts: [],
  };
  const bytes = utf8(base.config);
  const config = digestOfBytes(bytes);
  found.blobs.set(config, new Blob([bytes.slice()]));
  const layers = [];
  for (const { source, digest: known } of stored) {
    const digest = known ? `sha256:${known}` : await digestOfSource(source);
    const suffix = suffixOf(compressionOf(await readAt(source, 0, LOOKED_AT)));
    found.blobs.set(digest, source);
    layers.push({ mediaType: MEDIA.layer + suffix, digest, size: source.size });
  }
  const text = utf8(jsonText({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: { mediaType: MEDIA.config, digest: config, size: bytes.length },
    layers,
  }));
  const manifest = {
    mediaType: MEDIA.manifest,
    digest: digestOfBytes(text),
    bytes: text,
  };
  found.manifests.set(manifest.digest, manifest);
  found.tops.push({ manifest, names });
  return found;
}

function suffixOf(compression: string | undefined): string {
  if (compression === undefined) return "";
  if (compression === "gzip" || compression === "zstd") {
    return `+${compression}`;
  }
  throw new InputError(
    `A layer of it is compressed with ${compression}, which engines do not ` +
      "pull: make an isoc of it with ciso convert",
  );
}

async function digestOfSource(source: FileSource): Promise<string> {
  const hash = sha256();
  for await (const chunk of fromStream(source.stream())) hash.update(chunk);
  return `sha256:${hash.hex()}`;
}
