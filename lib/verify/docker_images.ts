import { shown } from "../errors/shown.ts";
import type { Document, DocumentReader } from "./document_reader.ts";
import {
  type FaceImage,
  type Named,
  readConfig,
  strings,
  withDiffIds,
} from "./face_image.ts";
import { DOCKER_MANIFEST } from "./schemas.ts";
import { isObject } from "./shape.ts";

/** Reads manifest.json and the images that it lists. */
export async function readDockerImages(
  reader: DocumentReader,
  named: Named,
): Promise<FaceImage[]> {
  const path = "manifest.json";
  const document = await reader.read(path, {
    rule: "docker-schema",
    shape: DOCKER_MANIFEST,
  });
  if (!document || !Array.isArray(document.value)) return [];
  const images: FaceImage[] = [];
  for (const entry of document.value) {
    if (!isObject(entry) || typeof entry.Config !== "string") continue;
    const layers = strings(entry.Layers).map((path) => ({ path: clean(path) }));
    for (const file of [clean(entry.Config), ...layers.map((l) => l.path)]) {
      await checkFile(reader, path, file, named);
    }
    const config = await readConfig(reader, clean(entry.Config));
    if (!config) continue;
    checkNamedDigest(reader, clean(entry.Config), config);
    images.push({
      entry: shown(path),
      config,
      layers: withDiffIds(reader, shown(path), config, layers),
      names: strings(entry.RepoTags),
    });
  }
  return images;
}

/** Checks that a file that a document names is there. */
async function checkFile(
  reader: DocumentReader,
  document: string,
  path: string,
  named: Named,
): Promise<void> {
  const file = await reader.files.open(path);
  named.add(path);
  if (!file) {
    reader.findings.add(
      "blob-missing",
      shown(document),
      `it names ${shown(path)}, which is not there`,
    );
  } else if (file.links > 1) {
    reader.findings.add(
      "layer-symlink",
      shown(path),
      `${file.links} links lead from it to its bytes`,
    );
  }
}

/** Docker and all that write its archives name the config by its digest. */
function checkNamedDigest(
  reader: DocumentReader,
  path: string,
  config: Document,
): void {
  const [, digest] = /^([0-9a-f]{64})\.json$/.exec(path) ?? [];
  if (digest && digest !== config.digest) {
    reader.findings.add(
      "blob-digest",
      shown(path),
      `its digest is sha256:${config.digest}`,
    );
  }
}

/** A path in manifest.json without `./`. */
function clean(path: string): string {
  return path.split("/").filter((part) => part !== "" && part !== ".")
    .join("/");
}
