import { openImageFile } from "../inspect/open_image_file.ts";
import { configDigest } from "../inspect/found_image.ts";
import { SBOM_KINDS } from "../packages/sbom_formats.ts";
import type { ImageFiles } from "../read/image_files.ts";
import type { StoredImage } from "../read/stored_image.ts";
import type { RegistryClient } from "../registry/client.ts";
import type { Pushed } from "../registry/push_image.ts";
import { pushReferrer } from "../registry/referrers.ts";
import { utf8 } from "../streams/bytes.ts";
import { textDigest } from "../streams/sha256.ts";
import type { UploadOptions } from "../registry/upload_place.ts";
import type { Parsed } from "./options.ts";
import { sbomTexts, type WantedSbom, wantedSboms } from "./sbom.ts";
import { UsageError } from "./usage_error.ts";

/** An SBOM that a registry has now. */
export interface AttachedSbom {
  format: string;
  /** Digest of its manifest. */
  digest: string;
}

/**
 * Reads --sbom of `ciso push`.
 *
 * @throws {UsageError} If it names a file: the SBOM goes to the registry.
 */
export function sbomsToPush(parsed: Parsed): WantedSbom[] {
  const wanted = wantedSboms(parsed);
  const file = wanted.find(({ path }) => path !== undefined);
  if (file) {
    throw new UsageError(
      `ciso push sends the SBOM to the registry: --sbom ${file.format}, ` +
        `or ciso inspect --sbom ${file.format}=FILE`,
    );
  }
  return wanted;
}

/** What {@linkcode attachSboms} needs to know. */
export interface Attachment {
  client: RegistryClient;
  repository: string;
  /** The files that the image is in. */
  files: ImageFiles;
  image: StoredImage;
  /** What became of it. */
  pushed: Pushed;
  options: UploadOptions;
}

/** Makes the SBOMs of an image that was pushed, and pushes them beside it. */
export async function attachSboms(
  parsed: Parsed,
  wanted: readonly WantedSbom[],
  { client, repository, files, image, pushed, options }: Attachment,
): Promise<AttachedSbom[]> {
  if (wanted.length === 0) return [];
  const opened = await openImageFile({
    open: (path) => files.open(path),
    pathOf: (path) => path,
  });
  const config = `sha256:${textDigest(image.base.config!)}`;
  const found = opened.images.find((one) => configDigest(one) === config) ??
    opened.images[0]!;
  const texts = await sbomTexts(parsed, wanted, {
    opened,
    image: found,
    digest: pushed.digest,
  });
  const attached: AttachedSbom[] = [];
  for (const [i, { format }] of wanted.entries()) {
    const { mediaType, suffix } = SBOM_KINDS[format];
    const one = await pushReferrer(client, repository, pushed, {
      artifactType: mediaType,
      blobs: [{
        mediaType,
        bytes: utf8(texts[i]!),
        // The name that oras gives the file.
        annotations: { "org.opencontainers.image.title": `sbom.${suffix}` },
      }],
    }, options);
    attached.push({ format, digest: one.digest });
  }
  return attached;
}
