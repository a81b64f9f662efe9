import { parseJson } from "../formats/json_text.ts";
import { list, object, optional, Place, record, text } from "./shape.ts";

/** One image of `manifest.json`, the index of a `docker save` archive. */
export interface DockerEntry {
  /** Path of the image config in the archive. */
  config: string;
  /** Paths of the layers in the archive, lowest first. */
  layers: string[];
  /** Names with tags. */
  names: string[];
}

const MANIFEST = list(object({
  Config: text,
  RepoTags: optional(list(text)),
  Layers: optional(list(text)),
}));

/**
 * Reads `manifest.json`: the inverse of {@linkcode dockerManifest}.
 *
 * @param source JSON.
 * @returns The images that it lists.
 * @throws {InputError} If it has another shape.
 *
 * @see {@link https://github.com/moby/docker-image-spec/blob/v1.3.1/v1.2.md#combined-image-json--filesystem-changeset-format}
 */
export function readDockerManifest(source: string): DockerEntry[] {
  const name = "manifest.json";
  return MANIFEST(parseJson(name, source), new Place(name))
    .map(({ Config, RepoTags, Layers }) => ({
      config: Config,
      layers: Layers ?? [],
      names: RepoTags ?? [],
    }));
}

/** A name of a Docker v1 image. */
export interface V1Name {
  /** The name with its tag. */
  name: string;
  /** ID of the image. */
  id: string;
}

const REPOSITORIES = record(optional(record(text)));

/**
 * Reads `repositories`, which gives Docker v1 images their names: the inverse of
 * {@linkcode repositories}.
 *
 * @param source JSON.
 * @returns The names.
 * @throws {InputError} If it has another shape.
 */
export function readRepositories(source: string): V1Name[] {
  const name = "repositories";
  const found = REPOSITORIES(parseJson(name, source), new Place(name));
  return [...found].flatMap(([name, tags]) =>
    [...tags ?? []].map(([tag, id]) => ({ name: `${name}:${tag}`, id }))
  );
}

const V1_IMAGE = object({ id: optional(text), parent: optional(text) });

/**
 * Reads what a Docker v1 image's `json` says of its place in the chain.
 *
 * @param source JSON.
 * @param name What messages call the document.
 * @throws {InputError} If it has another shape.
 */
export function readV1Link(
  source: string,
  name: string,
): { id?: string; parent?: string } {
  const { id, parent } = V1_IMAGE(parseJson(name, source), new Place(name));
  return { ...(id && { id }), ...(parent && { parent }) };
}
