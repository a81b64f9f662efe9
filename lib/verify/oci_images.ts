import { shown } from "../errors/shown.ts";
import type { Document, DocumentReader } from "./document_reader.ts";
import type { FaceImage, Named } from "./face_image.ts";
import { checkPlatforms, checkReferences } from "./index_checks.ts";
import {
  checkNamedBlob,
  checkNamedDocument,
  type NamedBlob,
} from "./named_blob.ts";
import {
  blobPath,
  descriptors,
  namesOf,
  tagsOf,
  textOf,
} from "./oci_descriptor.ts";
import { readOciManifest } from "./oci_manifest.ts";
import { OCI_INDEX, OCI_LAYOUT, OCI_MANIFEST } from "./schemas.ts";
import { isObject, type Json } from "./shape.ts";

/** Image indexes that are read one below the other, index.json for one. */
const MAX_DEPTH = 4;

/** Reads the OCI image layout. */
export async function readOciImages(
  reader: DocumentReader,
  named: Named,
): Promise<FaceImage[]> {
  const rule = "oci-schema";
  const layout = await reader.read("oci-layout", { rule, shape: OCI_LAYOUT });
  const index = await reader.read("index.json", { rule, shape: OCI_INDEX });
  if (!layout !== !index) {
    const [there, missing] = layout
      ? ["oci-layout", "index.json"]
      : ["index.json", "oci-layout"];
    reader.findings.add(
      "face-incomplete",
      shown(there),
      `there is no ${missing}`,
    );
  }
  if (!index) return [];
  const indexes = new IndexReader(reader, named);
  await indexes.read(
    { entry: shown("index.json"), names: [], depth: 0 },
    index,
  );
  checkReferences(reader, index);
  return indexes.images;
}

/** An image index, and how it was reached. */
interface IndexPlace {
  /** The index, as findings show it. */
  entry: string;
  /** Names that the indexes above give its images. */
  names: string[];
  /** How many indexes are above it. */
  depth: number;
}

/** Reads image indexes, and the manifests that they list. */
class IndexReader {
  readonly images: FaceImage[] = [];
  readonly #reader: DocumentReader;
  readonly #named: Named;
  /** Paths of the indexes that have been read: each once, whoever names it. */
  readonly #indexes = new Set<string>();

  constructor(reader: DocumentReader, named: Named) {
    this.#reader = reader;
    this.#named = named;
  }

  async read(place: IndexPlace, index: Document): Promise<void> {
    const { entry, depth } = place;
    const reader = this.#reader;
    const all = descriptors(index.value, "manifests");
    const paths = all.map(blobPath);
    if (depth > 0) checkPlatforms(reader, entry, all);
    const present = await Promise.all(
      paths.map(async (path) =>
        path !== undefined && !!await reader.files.open(path)
      ),
    );
    for (const [i, descriptor] of all.entries()) {
      const path = paths[i];
      if (path === undefined) continue;
      this.#named.add(path);
      // docker save lists the platforms that were not pulled as well.
      if (!present[i] && depth > 0 && present.some(Boolean)) {
        reader.findings.add(
          "platform-missing",
          entry,
          `it lists ${shown(path)}, which is not there`,
        );
        continue;
      }
      await this.#readListed(place, { entry, descriptor, path });
    }
  }

  async #readListed(place: IndexPlace, blob: NamedBlob): Promise<void> {
    const type = textOf(blob.descriptor.mediaType);
    if (/index|manifest\.list/.test(type) && place.depth < MAX_DEPTH) {
      await this.#readInner(place, blob);
    } else if (/manifest/.test(type)) await this.#readManifest(place, blob);
    else await checkNamedBlob(this.#reader, blob);
  }

  async #readInner(
    { entry, names, depth }: IndexPlace,
    blob: NamedBlob,
  ): Promise<void> {
    const { descriptor, path } = blob;
    if (this.#indexes.has(path)) return;
    this.#indexes.add(path);
    const reader = this.#reader;
    const inner = await reader.read(path, {
      rule: "oci-schema",
      shape: OCI_INDEX,
    });
    if (depth > 0) {
      reader.findings.add(
        "index-depth",
        entry,
        `it lists the image index ${shown(path)}`,
      );
    }
    if (!checkNamedDocument(reader, blob, inner)) return;
    await this.read({
      entry: shown(path),
      names: [...names, ...namesOf(descriptor)],
      depth: depth + 1,
    }, inner);
  }

  async #readManifest(
    { names, depth }: IndexPlace,
    blob: NamedBlob,
  ): Promise<void> {
    const reader = this.#reader;
    const { path, descriptor } = blob;
    const manifest = await reader.read(path, {
      rule: "oci-schema",
      shape: OCI_MANIFEST,
    });
    if (!checkNamedDocument(reader, blob, manifest)) return;
    const image = await readOciManifest(reader, path, manifest, this.#named);
    if (!image) return;
    const own = namesOf(descriptor);
    const tags = tagsOf(descriptor);
    const same = this.images.find(({ entry }) => entry === image.entry);
    if (same) {
      same.names.push(...own);
      same.tags!.push(...tags);
      return;
    }
    this.images.push({
      ...image,
      tags,
      names: [...names, ...own],
      isInner: depth > 0,
      ...platformField(descriptor),
    });
  }
}

function platformField({ platform }: Json): Pick<FaceImage, "platform"> {
  return isObject(platform) ? { platform } : {};
}
