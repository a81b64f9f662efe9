import {
  blobPath,
  configFacts,
  type DocumentReader,
  type FoundImage,
  MAX_IMAGES,
  platformOf,
} from "./found_image.ts";
import {
  type Json,
  listOf,
  numberOf,
  objectOf,
  textOf,
  textsOf,
} from "../read/json_values.ts";

/** Indexes inside indexes at most. */
const MAX_DEPTH = 4;

const FULL_NAME = "io.containerd.image.name";
const REF_NAME = "org.opencontainers.image.ref.name";

/** The OCI images of an image file (OCI image-spec v1.1, "Image Layout"). */
export async function findOciImages(
  reader: DocumentReader,
): Promise<FoundImage[]> {
  if (!await reader.read("oci-layout", "oci")) return [];
  const index = reader.parse(await reader.read("index.json", "oci"));
  const found: Found = { images: new Map(), indexes: new Set() };
  await addIndex(reader, objectOf(index), found, [], 0);
  return [...found.images.values()].map(({ image, names }) => ({
    ...image,
    names: [...names],
  }));
}

/** What has been found, by the paths of the blobs. */
interface Found {
  images: Map<string, { image: FoundImage; names: Set<string> }>;
  /** Indexes that have been read: each once, however many others name it. */
  indexes: Set<string>;
}

async function addIndex(
  reader: DocumentReader,
  index: Json,
  found: Found,
  names: string[],
  depth: number,
): Promise<void> {
  for (const item of listOf(index.manifests)) {
    const descriptor = objectOf(item);
    const platform = platformOf(objectOf(descriptor.platform));
    // BuildKit's attestations are no images.
    if (platform.os === "unknown" && platform.architecture === "unknown") {
      continue;
    }
    const own = [...names, ...namesOf(descriptor)];
    const path = blobPath(descriptor);
    const known = path && found.images.get(path);
    if (known) {
      for (const name of own) known.names.add(name);
      continue;
    }
    if (path && found.indexes.has(path)) continue;
    const document = path && await reader.read(path, "oci");
    if (!document) {
      // docker save lists the platforms that were not pulled as well.
      reader.note(
        `The index names ${textOf(descriptor.digest) ?? "a manifest"}${
          platform.os ? ` for ${Object.values(platform).join("/")}` : ""
        }, which is not in the file`,
      );
      continue;
    }
    const value = objectOf(reader.parse(document));
    if (Array.isArray(value.manifests)) {
      found.indexes.add(path!);
      if (depth < MAX_DEPTH) {
        await addIndex(reader, value, found, own, depth + 1);
      }
      continue;
    }
    if (found.images.size === MAX_IMAGES) {
      reader.note(`It holds more than ${MAX_IMAGES} images`);
      return;
    }
    const image = await ociImage(reader, value);
    if (!image) continue;
    image.manifest = document;
    image.digest = textOf(descriptor.digest)!;
    image.platform = { ...image.platform, ...platform };
    found.images.set(path!, { image, names: new Set(own) });
  }
}

async function ociImage(
  reader: DocumentReader,
  manifest: Json,
): Promise<FoundImage | undefined> {
  const descriptor = objectOf(manifest.config);
  const type = textOf(descriptor.mediaType) ?? "";
  if (!/image\.(config\.)?v1\+json$/.test(type)) {
    reader.note(
      `One of its manifests is no container image: its config is ${type}`,
    );
    return undefined;
  }
  const path = blobPath(descriptor);
  const config = path ? await reader.read(path, "oci") : undefined;
  const { platform, diffIds } = configFacts(reader.parse(config));
  const layers = await Promise.all(
    listOf(manifest.layers).map(async (item, i) => {
      const layer = objectOf(item);
      const path = blobPath(layer);
      const digest = textOf(layer.digest);
      const mediaType = textOf(layer.mediaType);
      const size = numberOf(layer.size);
      return {
        ...path ? await reader.layer(path) : { path: "" },
        ...(digest && { digest }),
        ...(diffIds[i] !== undefined && { diffId: diffIds[i] }),
        ...(mediaType && { mediaType }),
        ...(size !== undefined && { size }),
      };
    }),
  );
  return {
    faces: ["oci"],
    names: [],
    platform,
    ...(config && { config }),
    layers,
    layered: true,
  };
}

function namesOf(descriptor: Json): string[] {
  const annotations = textsOf(descriptor.annotations);
  const name = annotations.get(FULL_NAME) ?? annotations.get(REF_NAME);
  return name ? [name] : [];
}
