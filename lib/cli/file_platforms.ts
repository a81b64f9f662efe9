import { InputError } from "../errors/input_error.ts";
import { platformText, withName } from "../read/choose_image.ts";
import {
  documentText,
  type ImageFiles,
  readDocument,
} from "../read/image_files.ts";
import { readConfig } from "../read/read_config.ts";
import { readDockerManifest } from "../read/read_docker.ts";
import {
  blobPath,
  isImage,
  type Platform,
  readOciManifest,
} from "../read/read_oci.ts";
import {
  asCandidate,
  type PlatformImage,
  readLayout,
  type TopImage,
} from "../registry/platform_images.ts";

/** The image of one platform in a file that has several. */
export interface FilePlatform {
  platform: Platform;
  /** The same files, but with an index that lists this image alone. */
  files: ImageFiles;
}

/** One image of a file, for several platforms. */
export interface FilePlatforms {
  images: FilePlatform[];
  /** The platform that manifest.json is for, if it is for one alone. */
  primary?: Platform;
  /** What the user should know of, in sentences. */
  notes: string[];
}

/**
 * Finds the images of all platforms in an image file.
 *
 * @param files The image's files.
 * @param name The image's name, where the file may hold several.
 * @returns `undefined` if the file has no image for several platforms, or several
 * images: then readImage() takes one or says why not.
 * @throws {InputError} If a document is malformed or damaged.
 */
export async function filePlatforms(
  files: ImageFiles,
  name?: string,
): Promise<FilePlatforms | undefined> {
  const { tops } = await readLayout(files);
  const named = name === undefined
    ? tops
    : withName(tops.map(asCandidate), name);
  const texts = new Set(named.map(({ names }) => names.toSorted().join(" ")));
  if (texts.size !== 1) return undefined;
  const all = new Map(
    named.flatMap(({ images }) => images).map((
      image,
    ) => [image.manifest.digest, image]),
  );
  if (all.size < 2) return undefined;
  const primaryConfig = await dockerConfig(files);
  const found: FilePlatforms = {
    images: [],
    notes: await missingNotes(files, named),
  };
  for (const image of all.values()) {
    const platform = await platformOf(files, image);
    if (platform.os === "windows") {
      found.notes.push(
        `The image for ${platformText(platform)} is left out: its layers are ` +
          "no Linux root file systems",
      );
      continue;
    }
    found.images.push({ platform, files: image.files });
    if (blobPath(image.blobs[0]!) === primaryConfig) found.primary = platform;
  }
  if (areSeveral(named, found.images)) return undefined;
  if (found.images.length > 0) return found;
  throw new InputError(
    "Its images are for Windows, whose layers are no Linux root file systems",
  );
}

/** Whether tags tell images apart, as of umoci, since platforms do not. */
function areSeveral(
  tops: readonly Pick<TopImage, "tags">[],
  images: readonly FilePlatform[],
): boolean {
  const keys = new Set(images.map(({ platform }) => platformText(platform)));
  const tags = new Set(tops.map(({ tags }) => tags.toSorted().join(" ")));
  return tags.size > 1 && keys.size < images.length;
}

/** Tells of platforms that an index lists and the file does not have. */
async function missingNotes(
  files: ImageFiles,
  tops: readonly TopImage[],
): Promise<string[]> {
  const missing = new Set<string>();
  for (const { digest, bytes } of tops.flatMap(({ documents }) => documents)) {
    const listed = readOciManifest(documentText(bytes), digest);
    for (const one of Array.isArray(listed) ? listed : []) {
      if (!isImage(one) || await files.open(blobPath(one.digest))) continue;
      missing.add(platformText(one.platform) || `sha256:${one.digest}`);
    }
  }
  return [...missing].slice(0, 20).map((platform) =>
    `The image for ${platform} is left out: the file lists it and does not have it`
  );
}

/** What an image's config says of its platform, or else what the index says. */
async function platformOf(
  files: ImageFiles,
  { platform, blobs: [config] }: PlatformImage,
): Promise<Platform> {
  const path = blobPath(config!);
  const text = await readDocument(files, path);
  if (text === undefined) throw new InputError(`${path} is missing`);
  const { os, architecture, variant } = readConfig(text, path).fields;
  return architecture ? { os: os ?? "linux", architecture, variant } : platform;
}

/** Path of the config that manifest.json names, if it lists one image. */
async function dockerConfig(files: ImageFiles): Promise<string | undefined> {
  const text = await readDocument(files, "manifest.json");
  const entries = text === undefined ? [] : readDockerManifest(text);
  return entries.length === 1 ? entries[0]!.config : undefined;
}
