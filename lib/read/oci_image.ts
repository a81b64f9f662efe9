import { InputError } from "../errors/input_error.ts";
import { shownWord } from "../errors/shown.ts";
import { chooseImage, type ImageChoice } from "./choose_image.ts";
import { documentText, type ImageFiles } from "./image_files.ts";
import { checkDigest, neededDocument, neededLayer } from "./needed_file.ts";
import { readWholeConfig } from "./read_config.ts";
import {
  type BlobDescriptor,
  blobPath,
  isImage,
  isImageConfig,
  nameIn,
  type OciManifest,
  readOciManifest,
  REF_NAME,
} from "./read_oci.ts";
import type { StoredImage } from "./stored_image.ts";

/** OCI image-spec v1.1, "Image Layout", "Image Index" and "Image Manifest". */
export async function readOci(
  files: ImageFiles,
  index: BlobDescriptor[],
  choice: ImageChoice,
): Promise<StoredImage> {
  const { manifest, names } = await followIndex(files, index, choice, 0);
  const { config: descriptor, layers, annotations } = manifest;
  const { mediaType = "unknown" } = descriptor;
  if (!isImageConfig(mediaType)) {
    throw new InputError(
      `It is no container image: its config is ${shownWord(mediaType)}`,
    );
  }
  const config = await blob(files, descriptor);
  const { base, diffIds, notes } = readWholeConfig(
    config,
    layers.length,
    blobPath(descriptor.digest),
  );
  return {
    base,
    notes,
    layers: await Promise.all(layers.map(async ({ digest }, i) => ({
      source: await neededLayer(files, blobPath(digest)),
      digest,
      diffId: diffIds[i]!,
    }))),
    ...(annotations.size > 0 && {
      annotations: Object.fromEntries(annotations),
    }),
    names,
  };
}

/** Follows an image index to the manifest of the image wanted. */
async function followIndex(
  files: ImageFiles,
  index: BlobDescriptor[],
  choice: ImageChoice,
  depth: number,
): Promise<{ manifest: OciManifest; names: string[] }> {
  if (depth > 4) throw new InputError("Its image indexes never end");
  let candidates = index.filter(isImage).map((descriptor) => ({
    ...descriptor,
    id: descriptor.digest,
    digests: [descriptor.digest],
    names: [nameIn(descriptor), descriptor.annotations.get(REF_NAME)]
      .filter((name) => name !== undefined),
  }));
  if (new Set(candidates.map(({ id }) => id)).size > 1) {
    // docker save lists the platforms that were not pulled as well.
    const present = await Promise.all(
      candidates.map(({ digest }) => files.open(blobPath(digest))),
    );
    if (present.some((file) => file)) {
      candidates = candidates.filter((_, i) => present[i]);
    }
  }
  const chosen = chooseImage(candidates, choice);
  const [first] = chosen;
  const found = readOciManifest(
    await blob(files, first!),
    blobPath(first!.digest),
  );
  const names = chosen.map(nameIn).filter((name) => name !== undefined);
  if (!Array.isArray(found)) return { manifest: found, names };
  // The name was for the outer index.
  const { name: _, ...rest } = choice;
  const inner = await followIndex(files, found, rest, depth + 1);
  return { ...inner, names: [...names, ...inner.names] };
}

/** A document among the blobs, its digest checked. */
async function blob(
  files: ImageFiles,
  { digest }: BlobDescriptor,
): Promise<string> {
  const path = blobPath(digest);
  const document = await neededDocument(files, path);
  checkDigest(path, document, digest);
  return documentText(document);
}
