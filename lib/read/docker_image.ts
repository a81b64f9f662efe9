import { InputError } from "../errors/input_error.ts";
import { chooseImage, type ImageChoice } from "./choose_image.ts";
import { documentText, type ImageFiles } from "./image_files.ts";
import { checkDigest, neededDocument, neededLayer } from "./needed_file.ts";
import { platformIn, readWholeConfig } from "./read_config.ts";
import type { DockerEntry } from "./read_docker.ts";
import type { StoredImage } from "./stored_image.ts";

/** Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset". */
export async function readDocker(
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
      source: await neededLayer(files, path),
      diffId: diffIds[i]!,
    }))),
    names: [first!, ...others].flatMap(({ names }) => names),
  };
}

async function dockerConfig(files: ImageFiles, path: string): Promise<string> {
  const config = await neededDocument(files, path);
  const [digest] = digestsIn(path);
  if (digest) checkDigest(path, config, digest);
  return documentText(config);
}

/** Docker and all that write its archives name a config by its digest. */
function digestsIn(path: string): string[] {
  return /(?<=^|\/)[0-9a-f]{64}(?=(\.json)?$)/.exec(path)?.slice(0, 1) ?? [];
}
