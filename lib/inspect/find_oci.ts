import { shownWord } from "../errors/shown.ts";
import { platformText } from "../read/choose_image.ts";
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
  const search = new IndexSearch(reader);
  await search.add(objectOf(index), [], 0);
  return [...search.images.values()].map(({ image, names }) => ({
    ...image,
    names: [...names],
  }));
}

/** Follows image indexes to the images that they list. */
class IndexSearch {
  /** The images, by the paths of their manifests. */
  readonly images = new Map<
    string,
    { image: FoundImage; names: Set<string> }
  >();
  /** Indexes that have been read: each once, however many others name it. */
  readonly #indexes = new Set<string>();
  readonly #reader: DocumentReader;

  constructor(reader: DocumentReader) {
    this.#reader = reader;
  }

  /**
   * Adds the images of an index.
   *
   * @param names What the indexes above it call them.
   * @param depth How many indexes are above it.
   */
  async add(index: Json, names: string[], depth: number): Promise<void> {
    const reader = this.#reader;
    for (const item of listOf(index.manifests)) {
      const descriptor = objectOf(item);
      const platform = platformOf(objectOf(descriptor.platform));
      // BuildKit's attestations are no images.
      if (platform.os === "unknown" && platform.architecture === "unknown") {
        continue;
      }
      const own = [...names, ...namesOf(descriptor)];
      const path = blobPath(descriptor);
      const known = path && this.images.get(path);
      if (known) {
        for (const name of own) known.names.add(name);
        continue;
      }
      if (path && this.#indexes.has(path)) continue;
      const document = path && await reader.read(path, "oci");
      if (!path || !document) {
        noteMissing(reader, descriptor, platform);
        continue;
      }
      const value = objectOf(reader.parse(document));
      if (Array.isArray(value.manifests)) {
        this.#indexes.add(path);
        if (depth < MAX_DEPTH) await this.add(value, own, depth + 1);
        continue;
      }
      if (this.images.size === MAX_IMAGES) {
        reader.note(`It holds more than ${MAX_IMAGES} images`);
        return;
      }
      const image = await ociImage(reader, value);
      if (!image) continue;
      image.manifest = document;
      image.digest = textOf(descriptor.digest)!;
      image.platform = { ...image.platform, ...platform };
      this.images.set(path, { image, names: new Set(own) });
    }
  }
}

/** docker save lists the platforms that were not pulled as well. */
function noteMissing(
  reader: DocumentReader,
  descriptor: Json,
  platform: FoundImage["platform"],
): void {
  const digest = textOf(descriptor.digest);
  reader.note(
    `The index names ${
      digest === undefined ? "a manifest" : shownWord(digest)
    }${
      platform.os ? ` for ${platformText(platform)}` : ""
    }, which is not in the file`,
  );
}

async function ociImage(
  reader: DocumentReader,
  manifest: Json,
): Promise<FoundImage | undefined> {
  const descriptor = objectOf(manifest.config);
  const type = textOf(descriptor.mediaType) ?? "";
  if (!/image\.(config\.)?v1\+json$/.test(type)) {
    reader.note(
      `One of its manifests is no container image: its config is ${
        shownWord(type)
      }`,
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
