import { binary, utf8 } from "../streams/bytes.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import {
  configFacts,
  type Document,
  type DocumentReader,
  type FoundImage,
  type FoundLayer,
  MAX_IMAGES,
  platformOf,
} from "./found_image.ts";
import {
  listOf,
  listOfTexts,
  objectOf,
  textOf,
  textsOf,
} from "../read/json_values.ts";

/** Images of a v1 chain at most. */
const MAX_CHAIN = 1000;

/** The images of `manifest.json` (Docker image specification v1.2). */
export async function findDockerImages(
  reader: DocumentReader,
): Promise<FoundImage[]> {
  const list = reader.parse(await reader.read("manifest.json", "docker"));
  const items = listOf(list);
  if (items.length > MAX_IMAGES) {
    reader.note(`It holds more than ${MAX_IMAGES} images`);
  }
  return await Promise.all(
    items.slice(0, MAX_IMAGES).map(async (item) => {
      const entry = objectOf(item);
      const path = textOf(entry.Config);
      const config = path && await reader.read(inTar(path), "docker");
      const { platform, diffIds } = configFacts(
        reader.parse(config || undefined),
      );
      return {
        faces: ["docker" as const],
        names: listOfTexts(entry.RepoTags).filter((name) => name !== ""),
        platform,
        ...(config && { config }),
        layers: await Promise.all(
          listOfTexts(entry.Layers).map((path, i) =>
            layerAt(reader, path, diffIds[i])
          ),
        ),
        layered: true,
      };
    }),
  );
}

/** The images of `repositories` (Docker image specification v1). */
export async function findV1Images(
  reader: DocumentReader,
): Promise<FoundImage[]> {
  const document = await reader.read("repositories", "docker-v1");
  const names = new Map<string, string[]>();
  for (const [name, tags] of Object.entries(objectOf(reader.parse(document)))) {
    for (const [tag, id] of textsOf(tags)) {
      const known = names.get(id);
      if (known) known.push(`${name}:${tag}`);
      else names.set(id, [`${name}:${tag}`]);
    }
  }
  const images: FoundImage[] = [];
  for (const [id, tags] of names) {
    if (images.length === MAX_IMAGES) {
      reader.note(`It holds more than ${MAX_IMAGES} images`);
      break;
    }
    const image = await v1Image(reader, id);
    if (image) images.push({ ...image, names: tags });
  }
  return images;
}

/** Follows a v1 image to its parents: each has one layer. */
async function v1Image(
  reader: DocumentReader,
  id: string,
): Promise<FoundImage | undefined> {
  const layers: FoundLayer[] = [];
  const seen = new Set<string>();
  let config: Document | undefined;
  for (let at: string | undefined = id; at && seen.size < MAX_CHAIN;) {
    if (seen.has(at) || !/^[0-9a-f]{64}$/.test(at)) break;
    seen.add(at);
    let place = `${at}/`;
    let json = await reader.read(`${place}json`, "docker-v1");
    if (!json && at === id) {
      // Where ciso and the script of 2015 put the only image.
      place = ROOTFS;
      json = await reader.read(`${place}json`, "docker-v1");
    }
    const layer = await layerAt(reader, `${place}layer.tar`, undefined);
    if (!json && !layer.source) break;
    config ??= json;
    layers.unshift(layer);
    at = textOf(objectOf(reader.parse(json)).parent);
  }
  if (layers.length === 0) return undefined;
  return {
    faces: ["docker-v1"],
    names: [],
    platform: platformOf(objectOf(reader.parse(config))),
    ...(config && { config }),
    layers,
    layered: true,
  };
}

async function layerAt(
  reader: DocumentReader,
  path: string,
  diffId: string | undefined,
): Promise<FoundLayer> {
  const layer = await reader.layer(inTar(path));
  return { ...layer, ...(diffId && { diffId }) };
}

/** A path of a document as the members have it: a character for each byte. */
function inTar(path: string): string {
  return binary(utf8(path));
}
