import { InputError } from "../errors/input_error.ts";
import { shownWord } from "../errors/shown.ts";
import type { BaseImage, ImageFields } from "../image/image.ts";
import { bytesDigest } from "../streams/sha256.ts";
import {
  chooseImage,
  type ImageChoice,
  platformText,
  suits,
} from "./choose_image.ts";
import {
  documentText,
  type FileSource,
  type ImageFiles,
  readBytes,
  readDocument,
} from "./image_files.ts";
import { noImage } from "./no_image.ts";
import { readAppcManifest } from "./read_appc.ts";
import { platformIn, readConfig, readWholeConfig } from "./read_config.ts";
import {
  type DockerEntry,
  readDockerManifest,
  readRepositories,
} from "./read_docker.ts";
import {
  type BlobDescriptor,
  blobPath,
  isImage,
  isImageConfig,
  nameIn,
  type OciManifest,
  type Platform,
  readOciIndex,
  readOciManifest,
  REF_NAME,
} from "./read_oci.ts";
import { readDockerV1 } from "./read_docker_v1.ts";
import { readTree, treeLayer } from "./read_tree.ts";
import { asOciLayout } from "./skopeo_layout.ts";
import type { StoredImage } from "./stored_image.ts";

export type { ImageChoice } from "./choose_image.ts";
export type { Platform } from "./read_oci.ts";
export {
  hasConfigLayers,
  type StoredImage,
  type StoredLayer,
} from "./stored_image.ts";

/**
 * Reads an image: an isoc, what `docker save` of any age or `podman save`
 * writes, an OCI image layout, a `dir:` layout of skopeo, an ACI, a runtime
 * bundle, or an image of LXD or Incus. The digests of its documents are checked
 * here, those of its layers when they are read.
 *
 * @param files The image's files.
 * @param choice Which image to take, where there are several.
 * @returns Its layers, to be read, and what its documents say.
 * @throws {InputError} If it is not one of these, or its documents do not fit
 * together.
 */
export async function readImage(
  files: ImageFiles,
  choice: ImageChoice = {},
): Promise<StoredImage> {
  const image = await readAny(await asOciLayout(files), choice);
  const { os, architecture, variant } = image.base.fields;
  if (os === "windows") {
    throw new InputError(
      "It is an image for Windows, whose layers are no Linux root file " +
        "systems: save the image for Linux, if there is one",
    );
  }
  const { platform = {}, anyPlatform } = choice;
  const has: Platform = {
    ...(os && { os }),
    ...(architecture && { architecture }),
    ...(variant && { variant }),
  };
  if (!anyPlatform && !suits(has, platform)) {
    throw new InputError(
      `It is for ${platformText(has)}, not for ${platformText(platform)}; ` +
        "--force-platform says that it is for that platform all the same",
    );
  }
  return image;
}

async function readAny(
  files: ImageFiles,
  choice: ImageChoice,
): Promise<StoredImage> {
  const read = (path: string) => readDocument(files, path);
  const manifest = await read("manifest.json");
  const index = await files.open("oci-layout")
    ? await readDocument(files, "index.json")
    : undefined;
  if (index !== undefined) {
    const listed = readOciIndex(index);
    // Docker 25 writes an index without images beside a good manifest.json.
    if (listed.length > 0 || manifest === undefined) {
      return await readOci(files, listed, choice);
    }
  }
  if (manifest !== undefined) {
    return await readDocker(files, readDockerManifest(manifest), choice);
  }
  const appc = await read("manifest");
  if (appc !== undefined && (files.hasRootfs || files.openTree)) {
    return await readAci(files, appc);
  }
  const repositories = await read("repositories");
  const isV1 = [...files.top ?? []].some((name) => /^[0-9a-f]{64}$/.test(name));
  if (repositories !== undefined || isV1) {
    return await readDockerV1(files, repositories, choice);
  }
  const tree = await readTree(files);
  if (tree) return tree;
  throw await noImage(
    files,
    "there is no index.json with oci-layout, no manifest.json or " +
      "repositories, no appc manifest with rootfs/, no config.json of a " +
      "bundle and no metadata.yaml (for a rootfs, leave out --from or convert)",
  );
}

/** Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset". */
async function readDocker(
  files: ImageFiles,
  entries: DockerEntry[],
  choice: ImageChoice,
): Promise<StoredImage> {
  if (entries.length === 0) {
    throw new InputError("manifest.json lists no image");
  }
  const candidates = await Promise.all(entries.map(async (entry) => ({
    ...entry,
    id: `${entry.config} ${entry.layers.join(" ")}`,
    digests: digestsIn(entry.config),
    // One image needs no reading here: its platform is checked later.
    platform: entries.length === 1
      ? {}
      : platformIn(await dockerConfig(files, entry.config)),
  })));
  const [first, ...others] = chooseImage(candidates, choice);
  const { config: path, layers } = first!;
  const config = await dockerConfig(files, path);
  const { base, diffIds, notes } = readWholeConfig(config, layers.length, path);
  return {
    base,
    notes,
    layers: await Promise.all(layers.map(async (path, i) => ({
      source: await neededFile(files, path),
      diffId: diffIds[i]!,
    }))),
    names: [first!, ...others].flatMap(({ names }) => names),
  };
}

async function dockerConfig(files: ImageFiles, path: string): Promise<string> {
  const config = await needed(files, path);
  const [digest] = digestsIn(path);
  if (digest) checkDigest(path, config, digest);
  return documentText(config);
}

/** Docker and all that write its archives name a config by its digest. */
function digestsIn(path: string): string[] {
  return /(?<=^|\/)[0-9a-f]{64}(?=(\.json)?$)/.exec(path)?.slice(0, 1) ?? [];
}

/** OCI image-spec v1.1, "Image Layout", "Image Index" and "Image Manifest". */
async function readOci(
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
      source: await neededFile(files, blobPath(digest)),
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

/** appc spec 0.8.11, or the archive that the script of 2015 wrote. */
async function readAci(
  files: ImageFiles,
  manifest: string,
): Promise<StoredImage> {
  const image = readAppcManifest(manifest);
  const repositories = await readDocument(files, "repositories");
  const layer = await files.open("rootfs/layer.tar");
  if (layer && repositories !== undefined) {
    const { os, architecture, variant } = image.base.fields;
    const v1 = await readDocument(files, "rootfs/json");
    return {
      layers: [{ source: layer }],
      // Docker's document has command and entrypoint apart.
      base: v1 === undefined ? { fields: image.base.fields } : {
        fields: {
          ...platform({ os, architecture, variant }),
          ...readConfig(v1, "rootfs/json").fields,
        },
      },
      names: readRepositories(repositories).map(({ name }) => name),
      notes: [],
    };
  }
  const tree = await treeLayer(files, "rootfs");
  if (!tree) throw new InputError("Its directory rootfs is missing");
  const { visible, base, annotations, name } = image;
  return {
    layers: [{ ...tree.layer, ...(visible && { visible }) }],
    base,
    ...(annotations && { annotations }),
    names: [name],
    notes: [...tree.notes, ...appcNotes(base)],
  };
}

/** Says what of an ACI no other face has. */
function appcNotes({ appc }: BaseImage): string[] {
  const { app = {}, mountPoints = [], supplementaryGIDs } = appc ?? {};
  const words = [
    ...Object.keys(app).map(shownWord),
    ...(supplementaryGIDs ? ["supplementaryGIDs"] : []),
    ...(mountPoints.some(({ readOnly }) => readOnly) ? ["readOnly"] : []),
  ];
  return words.length === 0
    ? []
    : [`Only rkt's face keeps what the ACI says of ${words.join(", ")}`];
}

/** The fields of a platform that are set. */
function platform(fields: ImageFields): ImageFields {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  );
}

/** A document among the blobs, its digest checked. */
async function blob(
  files: ImageFiles,
  { digest }: BlobDescriptor,
): Promise<string> {
  const path = blobPath(digest);
  const document = await needed(files, path);
  checkDigest(path, document, digest);
  return documentText(document);
}

function checkDigest(path: string, bytes: Uint8Array, digest: string): void {
  const found = bytesDigest(bytes);
  if (found !== digest) {
    throw new InputError(
      `${shownWord(path)} is damaged: its digest is sha256:${found}`,
    );
  }
}

async function needed(files: ImageFiles, path: string): Promise<Uint8Array> {
  const document = await readBytes(files, path);
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
