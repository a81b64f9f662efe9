import type { PackageOptions } from "../packages/package_files.ts";
import { sbomText } from "../packages/sbom.ts";
import type { SbomFormat } from "../packages/sbom_formats.ts";
import type { SbomSubject } from "../packages/sbom_subject.ts";
import { fileDigests } from "./file_digests.ts";
import { configDigest, type FoundImage } from "./found_image.ts";
import { imageFacts } from "./image_facts.ts";
import { readImageTree, type Unpack } from "./layer_tars.ts";
import type { OpenedImage } from "./open_image_file.ts";

/** How the SBOMs of an image are made. */
export interface SbomOptions {
  formats: readonly SbomFormat[];
  /** Lists all files with their digests. */
  files: boolean;
  /** Bytes that these files may have in all. */
  maxUnpacked: number;
  /** The time to write, in RFC 3339; the image's own unless given. */
  time?: string | undefined;
  /** Digest of the image manifest, where it is not that of the image file. */
  digest?: string;
  /** The version of ciso. */
  version: string;
  unpack: Unpack;
}

/** What SBOMs of an image look for in it. */
function sbomPackages(files: boolean): PackageOptions {
  return { thorough: true, files };
}

/**
 * Writes the SBOMs of an image.
 *
 * @returns The text of each format, in order, and what could not be read, in
 * sentences.
 * @throws {InputError} If a layer cannot be read.
 */
export async function imageSboms(
  opened: OpenedImage,
  image: FoundImage,
  options: SbomOptions,
): Promise<{ texts: string[]; warnings: string[] }> {
  const { files, maxUnpacked, unpack } = options;
  const read = await readImageTree(image, opened.archive, unpack, {
    packages: sbomPackages(files),
  });
  const list = read.packages!;
  const facts = imageFacts(image, opened.documents);
  const digest = options.digest ?? image.digest;
  const subject: SbomSubject = {
    names: facts.names,
    digest: digest ?? configDigest(image),
    isManifest: digest !== undefined,
    architecture: facts.platform.architecture,
    layers: image.layers.map(({ diffId }) => diffId),
    time: options.time ?? plainTime(facts.created),
    list,
    ...(files && { files: await fileDigests(read, list, maxUnpacked) }),
    version: options.version,
  };
  const missing = read.layers.flatMap(({ missing }, i) =>
    missing
      ? [`The file lacks layer ${i + 1}: its packages are not listed`]
      : []
  );
  return {
    texts: options.formats.map((format) => sbomText(format, subject)),
    warnings: [...missing, ...list.warnings],
  };
}

/** RFC 3339 in UTC and to the second; 1970 if there is no time. */
function plainTime(text: string | undefined): string {
  const [, date, zone] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)$/i.exec(
      text ?? "",
    ) ?? [];
  const time = Date.parse(`${date}${zone}`.toUpperCase());
  return new Date(Number.isNaN(time) ? 0 : time).toISOString()
    .replace(".000", "");
}
