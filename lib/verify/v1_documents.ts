import { shown } from "../errors/shown.ts";
import { readAt } from "../streams/source.ts";
import type { Document, DocumentReader } from "./document_reader.ts";
import type { LayerRef, Named } from "./face_image.ts";
import { REPOSITORIES, V1_JSON } from "./schemas.ts";
import { described, isObject, type Json } from "./shape.ts";

/** What Docker 1.9 and older read. */
export interface V1Images {
  images: {
    /** The newest v1 image's description. */
    json: Document;
    /** Lowest first. */
    layers: LayerRef[];
    names: string[];
    /** Its directory, with a slash. */
    place: string;
  }[];
}

/** Parents that a chain has at most. */
const MAX_CHAIN = 1024;

/** Reads `repositories` and the v1 images that it names. */
export async function readV1Images(
  reader: DocumentReader,
  named: Named,
): Promise<V1Images | undefined> {
  const rule = "docker-v1-schema";
  const document = await reader.read("repositories", {
    rule,
    shape: REPOSITORIES,
    isMap: true,
  });
  if (!document) return undefined;
  const found: V1Images = { images: [] };
  if (!document.isGood) return found;
  const byId = new Map<string, string[]>();
  const repositories = document.value as Record<string, Record<string, string>>;
  for (const [name, tags] of Object.entries(repositories)) {
    for (const [tag, id] of Object.entries(tags)) {
      byId.set(id, [...byId.get(id) ?? [], `${name}:${tag}`]);
    }
  }
  for (const [id, names] of byId) {
    const chain = await readChain(reader, id, named);
    if (!chain) continue;
    const [{ json, place }] = chain as [typeof chain[0]];
    const layers = chain.map(({ place }) => ({ path: `${place}layer.tar` }));
    found.images.push({
      json: json!,
      layers: layers.reverse(),
      names,
      place: place!,
    });
  }
  return found;
}

async function readChain(
  reader: DocumentReader,
  newest: string,
  named: Named,
): Promise<{ json: Document; place: string }[] | undefined> {
  const chain: { json: Document; place: string }[] = [];
  const seen = new Set<string>();
  for (let id: string | undefined = newest; id !== undefined;) {
    const entry = shown(chain.at(-1)?.place ?? "repositories");
    if (seen.has(id) || seen.size > MAX_CHAIN) {
      reader.findings.add("docker-v1-chain", entry, "its parents never end");
      return undefined;
    }
    seen.add(id);
    const place = await placeOf(reader, id, chain.length === 0);
    if (place === undefined) {
      // docker save of 1.10 and newer may leave out what manifest.json has.
      if (chain.length === 0 && await reader.files.open("manifest.json")) {
        return undefined;
      }
      reader.findings.add(
        "docker-v1-chain",
        entry,
        `it names ${shown(id)}, which is not there`,
      );
      return undefined;
    }
    const json = await readPart(reader, id, place, named);
    if (!json) return undefined;
    chain.push({ json, place });
    const { parent } = json.value as Json;
    id = typeof parent === "string" && parent !== "" ? parent : undefined;
  }
  return chain;
}

/** The directory of a v1 image: its ID, or rootfs/. */
async function placeOf(
  reader: DocumentReader,
  id: string,
  isNewest: boolean,
): Promise<string | undefined> {
  if (await reader.files.open(`${id}/json`)) return `${id}/`;
  return isNewest && await reader.files.open("rootfs/json")
    ? "rootfs/"
    : undefined;
}

async function readPart(
  reader: DocumentReader,
  id: string,
  place: string,
  named: Named,
): Promise<Document | undefined> {
  const path = `${place}json`;
  const json = await reader.read(path, {
    rule: "docker-v1-schema",
    shape: V1_JSON,
  });
  if (!json || !isObject(json.value)) return undefined;
  if (json.value.id !== id) {
    reader.findings.add(
      "docker-v1-chain",
      shown(path),
      `its id is ${described(json.value.id, 200)}, not ${shown(id)}`,
    );
  }
  const version = await reader.files.open(`${place}VERSION`);
  const text = version && version.source.size < 100
    ? new TextDecoder().decode(
      await readAt(version.source, 0, version.source.size),
    )
    : undefined;
  if (text?.trim() !== "1.0") {
    reader.findings.add(
      "docker-v1-schema",
      shown(`${place}VERSION`),
      text === undefined ? "it is not there" : `it is ${shown(text)}, not 1.0`,
    );
  }
  const layer = `${place}layer.tar`;
  named.add(layer);
  if (!await reader.files.open(layer)) {
    reader.findings.add(
      "blob-missing",
      shown(path),
      `there is no ${shown(layer)}`,
    );
    return undefined;
  }
  return json;
}
