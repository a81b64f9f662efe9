import {
  blobPath,
  configFacts,
  type DocumentReader,
  type FoundImage,
  platformOf,
} from "./found_image.ts";
import {
  type Json,
  listOf,
  numberOf,
  objectOf,
  textOf,
  textsOf,
} from "./json_values.ts";

/** Indexes inside indexes at most. */
const MAX_DEPTH = 4;
/** Images at most. */
const MAX_IMAGES = 1000;

const FULL_NAME = "io.containerd.image.name";
const REF_NAME = "org.opencontainers.image.ref.name";

/** The OCI images of an image file (OCI image-spec v1.1, "Image Layout"). */
export async function findOciImages(
  reader: DocumentReader,
): Promise<FoundImage[]> {
  if (!await reader.read("oci-layout", "oci")) return [];
  const index = reader.parse(await reader.read("index.json", "oci"));
  const found = new Map<string, FoundImage>();
  await addIndex(reader, objectOf(index), found, [], 0);
  return [...found.values()];
}

async function addIndex(
  reader: DocumentReader,
  index: Json,
  found: Map<string, FoundImage>,
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
    const known = path && found.get(path);
    if (known) {
      known.names = [...new Set([...known.names, ...own])];
      continue;
    }
    const document = path && await reader.read(path, "oci");
    if (!document) {
      // docker save lists the platforms that were not pulled as well.
      reader.notes.push(
        `The index names ${textOf(descriptor.digest) ?? "a manifest"}${
          platform.os ? ` for ${Object.values(platform).join("/")}` : ""
        }, which is not in the file`,
      );
      continue;
    }
    const value = objectOf(reader.parse(document));
    if (Array.isArray(value.manifests)) {
      if (depth < MAX_DEPTH) {
        await addIndex(reader, value, found, own, depth + 1);
      }
      continue;
    }
    if (found.size === MAX_IMAGES) return;
    const image = await ociImage(reader, value);
    if (!image) continue;
    image.manifest = document;
    image.digest = String(descriptor.digest);
    image.names = [...new Set(own)];
    image.platform = { ...image.platform, ...platform };
    found.set(path!, image);
  }
}

async function ociImage(
  reader: DocumentReader,
  manifest: Json,
): Promise<FoundImage | undefined> {
  const descriptor = objectOf(manifest.config);
  const type = textOf(descriptor.mediaType) ?? "";
  if (!/image\.(config\.)?v1\+json$/.test(type)) {
    reader.notes.push(
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
      const mediaType = textOf(layer.mediaType);
      const size = numberOf(layer.size);
      return {
        ...path ? await reader.layer(path) : { path: "" },
        digest: String(layer.digest),
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
