import { InputError } from "../errors/input_error.ts";
import { shown, shownWord } from "../errors/shown.ts";
import { type JsonObject, keyOf } from "../formats/json_object.ts";
import { losslessJson } from "../formats/lossless_json.ts";
import { checkLayerCount, MAX_LAYERS } from "../image/layer.ts";
import { chooseImage, type ImageChoice } from "./choose_image.ts";
import { type ImageFiles, readDocument } from "./image_files.ts";
import { platformIn, readWholeConfig } from "./read_config.ts";
import { readRepositories, readV1Link } from "./read_docker.ts";
import { list, object, optional, Place, text } from "./shape.ts";
import type { StoredImage } from "./stored_image.ts";

/** An image of the chain: its ID, its document's path, and what it says. */
interface Link {
  id: string;
  path: string;
  json: string;
}

const ID = /^[0-9a-f]{64}$/;
/** Images of an archive at most, as far as they have names. */
const MAX_IMAGES = 1000;

/** Characters of all documents of a chain at most. */
const MAX_TEXT = 1 << 25;

/** What the history of a config takes from a Docker v1 image. */
const MADE = object({
  created: optional(text),
  author: optional(text),
  comment: optional(text),
  container_config: optional(object({ Cmd: optional(list(text)) })),
});

/** Fields that are about the place of an image in its chain. */
const OF_CHAIN = [
  "id",
  "parent",
  "Size",
  "parent_id",
  "layer_id",
  "throwaway",
  "layer_digest",
];

/**
 * Reads what `docker save` of Docker 1.9 and older writes: `repositories` with
 * the names, and a directory for each image with its `json` and its layer. An
 * image is its own layer on top of its parent's. The newest image's document
 * becomes an image config, as Docker 1.10 made it of such images.
 *
 * @param files The files.
 * @param repositories The text of `repositories`, if there is one.
 * @param choice Which image to take, where there are several.
 * @throws {InputError} If a document is missing or malformed, or the chain has
 * no end.
 *
 * @see {@link https://github.com/moby/docker-image-spec/blob/v1.3.1/v1.md}
 */
export async function readDockerV1(
  files: ImageFiles,
  repositories: string | undefined,
  choice: ImageChoice,
): Promise<StoredImage> {
  const ids = repositories === undefined
    ? await idsWithoutNames(files)
    : idsOf(repositories);
  if (ids.size > MAX_IMAGES) {
    throw new InputError(`It names more than ${MAX_IMAGES} images`);
  }
  const candidates = [];
  for (const [id, names] of ids) {
    // One image needs no reading here: its platform is checked later.
    const platform = ids.size === 1
      ? {}
      : platformIn((await linkOf(files, id)).json);
    candidates.push({ id, digests: [id], names, platform });
  }
  const [{ id, names }] = chooseImage(candidates, choice) as [
    typeof candidates[0],
  ];
  const chain = await chainOf(files, id);
  const layers = await Promise.all(chain.map(async ({ id }) => {
    const source = await files.open(`${id}/layer.tar`);
    if (source) return { source };
    throw new InputError(`The layer ${id}/layer.tar is missing`);
  }));
  const newest = chain.at(-1)!;
  const config = configOf(newest, chain);
  const { base, notes } = readWholeConfig(config, chain.length, newest.path);
  return { layers, base, names, notes };
}

/** The names of each image, by its ID. */
function idsOf(repositories: string): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { name, id } of readRepositories(repositories)) {
    if (!ID.test(id)) {
      throw new InputError(
        `repositories gives the name ${shown(name)} to ${shown(id)}, which ` +
          "is no ID of 64 hex digits",
      );
    }
    const names = ids.get(id);
    if (names) names.push(name);
    else ids.set(id, [name]);
  }
  if (ids.size === 0) throw new InputError("repositories names no image");
  return ids;
}

/** Images that are no other one's parent: `docker save ID` writes no names. */
async function idsWithoutNames(
  files: ImageFiles,
): Promise<Map<string, string[]>> {
  const all = [...files.top ?? []].filter((name) => ID.test(name));
  checkLayerCount(all.length);
  const parents = new Set<string | undefined>();
  for (const id of all) {
    const { json, path } = await linkOf(files, id);
    parents.add(readV1Link(json, path).parent);
  }
  return new Map(all.filter((id) => !parents.has(id)).map((id) => [id, []]));
}

/** Follows an image to its parents; the lowest one comes first. */
async function chainOf(files: ImageFiles, newest: string): Promise<Link[]> {
  const chain: Link[] = [];
  const seen = new Set<string>();
  let size = 0;
  for (let id: string | undefined = newest; id !== undefined;) {
    if (seen.has(id)) {
      throw new InputError(
        `The image ${id.slice(0, 12)} is its own parent: the chain never ends`,
      );
    }
    if (seen.size === MAX_LAYERS) checkLayerCount(seen.size + 1);
    seen.add(id);
    const link: Link = await linkOf(files, id);
    chain.push(link);
    size += link.json.length;
    if (size > MAX_TEXT) {
      throw new InputError(
        "The documents of the chain are too large to be true",
      );
    }
    const { parent } = readV1Link(link.json, link.path);
    if (parent !== undefined && !ID.test(parent)) {
      throw new InputError(
        `${link.path}: parent is ${shown(parent)}, which is no ID of 64 hex ` +
          "digits",
      );
    }
    id = parent;
  }
  return chain.reverse();
}

async function linkOf(files: ImageFiles, id: string): Promise<Link> {
  const path = `${id}/json`;
  const json = await readDocument(files, path);
  if (json === undefined) {
    throw new InputError(
      `${shownWord(path)} is missing: the archive lacks an image of the chain`,
    );
  }
  return { id, path, json };
}

/** The image config of a chain of Docker v1 images. */
function configOf({ json, path }: Link, chain: Link[]): string {
  const { value, write } = losslessJson(path, json);
  const document = value as JsonObject;
  for (const name of OF_CHAIN) {
    const key = keyOf(document, name);
    if (key !== undefined) delete document[key];
  }
  for (const name of ["rootfs", "history"]) {
    const key = keyOf(document, name);
    if (key !== undefined) delete document[key];
  }
  document.rootfs = {
    type: "layers",
    // The layers' own IDs are known once they have been read.
    diff_ids: chain.map(() => `sha256:${"0".repeat(64)}`),
  };
  document.history = chain.map(historyOf);
  return write(document);
}

function historyOf({ json, path }: Link): object {
  const { value } = losslessJson(path, json);
  const { created, author, comment, container_config } = MADE(
    value,
    new Place(path),
  );
  const words = container_config?.Cmd ?? [];
  return {
    ...(created && { created }),
    ...(author && { author }),
    ...(words.length > 0 && { created_by: words.join(" ") }),
    ...(comment && { comment }),
  };
}
