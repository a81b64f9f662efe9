import { counted } from "../errors/counted.ts";
import { InputError } from "../errors/input_error.ts";
import { checkLayerCount } from "../image/layer.ts";
import { shown } from "../errors/shown.ts";
import { unlessRefused } from "../errors/refusal.ts";
import { type JsonObject, keyOf } from "../formats/json_object.ts";
import type { BaseImage, Fault, ImageFields, Oddity } from "../image/image.ts";
import { goArchitecture } from "../formats/values/platform.ts";
import { parseRfc3339 } from "../formats/values/time.ts";
import { parseJson } from "../formats/json_text.ts";
import { ProcessReader } from "./read_process.ts";
import {
  anyObject,
  integer,
  list,
  object,
  optional,
  Place,
  type Shape,
  text,
  truth,
} from "./shape.ts";

/** What an image config says. */
export interface ConfigReading {
  /** The fields that are set, as far as every face can be made of them. */
  fields: ImageFields;
  /** What it says and `fields` do not. */
  oddities: Oddity[];
  /** What has a shape that no engine reads. */
  faults: Fault[];
}

/**
 * Reads an OCI or Docker image config: the whole document, its `config` object
 * alone, or what `docker inspect` prints. The inverse of
 * {@linkcode imageConfig}, for the fields that say something about the image
 * and not about its layers.
 *
 * It takes what Docker takes: values that only Docker understands are left out
 * of the fields and listed.
 *
 * @param source JSON.
 * @param name What messages call the document.
 * @returns What it says.
 * @throws {InputError} If the text is no JSON, or no image config.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md}
 */
export function readConfig(
  source: string,
  name = "The image config",
): ConfigReading {
  let document = parseJson(name, source);
  // docker inspect prints a list.
  if (Array.isArray(document)) {
    if (document.length !== 1) {
      throw new InputError(
        `${name} is a list of ${document.length} image configs where one is ` +
          "wanted",
      );
    }
    document = document[0];
  }
  const place = new Place(name);
  const whole = anyObject(document, place);
  const key = keyOf(whole, "config");
  const inner = key === undefined
    ? undefined
    : optional(anyObject)(whole[key], place.at(key));
  const reader = new ProcessReader(
    inner ?? whole,
    inner ? place.at(key!) : place,
  );
  const fields = reader.fields();
  // The `config` object alone has none of these.
  if (inner) Object.assign(fields, outerFields(whole, place, reader));
  return {
    fields: given(fields),
    oddities: reader.oddities,
    faults: reader.faults,
  };
}

/** The platform that an image config says. */
export function platformIn(config: string): ImageFields {
  const { os, architecture, variant } = readConfig(config).fields;
  return {
    ...(os && { os }),
    ...(architecture && { architecture }),
    ...(variant && { variant }),
  };
}

/** Leaves out the fields that are not set. */
function given<T extends object>(fields: T): T {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as T;
}

/** The fields that are not about the process. */
function outerFields(
  whole: JsonObject,
  place: Place,
  reader: ProcessReader,
): ImageFields {
  const read = (name: keyof ImageFields) => {
    const key = keyOf(whole, name) ?? name;
    return reader.take(name, () => optional(text)(whole[key], place.at(key)));
  };
  const architecture = read("architecture");
  const variant = read("variant");
  const os = read("os")?.toLowerCase();
  return {
    author: read("author") || undefined,
    created: time(read("created")),
    os: os || undefined,
    ...(architecture && goArchitecture(architecture, variant)),
  };
}

/** Seconds since 1970 of a time that says something. */
function time(created: string | undefined): number | undefined {
  const seconds = unlessRefused(() => parseRfc3339(created ?? ""));
  // Docker writes the year 1 where it knows no time.
  return seconds === undefined || seconds < 0 ? undefined : Math.floor(seconds);
}

/**
 * What the image config of an image says beside the fields of an image. Docker
 * refuses one in which a field that it knows has another type.
 */
const LAYERS = object({
  rootfs: optional(object({ diff_ids: optional(list(text)) })),
  history: optional(list(object({
    created: optional(text),
    author: optional(text),
    created_by: optional(text),
    comment: optional(text),
    empty_layer: optional(truth),
  }))),
  // What is in the others stays as it is.
  id: optional(text),
  parent: optional(text),
  comment: optional(text),
  container: optional(text),
  container_config: optional(anyObject),
  docker_version: optional(text),
  size: optional(integer),
  "os.version": optional(text),
  "os.features": optional(list(text)),
  config: optional(object({
    Hostname: optional(text),
    Domainname: optional(text),
    AttachStdin: optional(truth),
    AttachStdout: optional(truth),
    AttachStderr: optional(truth),
    Tty: optional(truth),
    OpenStdin: optional(truth),
    StdinOnce: optional(truth),
    ArgsEscaped: optional(truth),
    NetworkDisabled: optional(truth),
    Image: optional(text),
    MacAddress: optional(text),
    StopTimeout: optional(integer),
  })),
}) satisfies Shape<unknown>;

/** What the image config of an image says, with its layers. */
export interface WholeConfig {
  /** What it says of the image. */
  base: BaseImage;
  /** SHA-256 of the uncompressed layers in hex, lowest first. */
  diffIds: string[];
  /** What the user should know of it, in sentences. */
  notes: string[];
}

/**
 * Reads what an image config says of the image's layers.
 *
 * @param source JSON.
 * @param name What messages call the document.
 * @returns SHA-256 of the uncompressed layers in hex, and how many layers the
 * history names.
 * @throws {InputError} If it has another shape.
 */
export function readConfigLayers(
  source: string,
  name = "The image config",
): { diffIds: string[]; named: number } {
  const place = new Place(name);
  const { rootfs, history = [] } = LAYERS(parseJson(name, source), place);
  const ids = place.at("rootfs").at("diff_ids");
  return {
    diffIds: (rootfs?.diff_ids ?? []).map((id, i) => hexOf(id, ids.at(i))),
    named: history.filter(({ empty_layer }) => !empty_layer).length,
  };
}

/**
 * Reads the image config of an image that has layers.
 *
 * @param source JSON.
 * @param layers How many layers the image has.
 * @param name What messages call the document.
 * @throws {InputError} If it is no image config, or is one of other layers.
 */
export function readWholeConfig(
  source: string,
  layers: number,
  name = "The image config",
): WholeConfig {
  checkLayerCount(layers);
  const { fields, oddities, faults } = readConfig(source, name);
  const { diffIds, named } = readConfigLayers(source, name);
  if (diffIds.length !== layers) {
    throw new InputError(
      `The image has ${
        counted(layers, "layer")
      }, but its config lists ${diffIds.length}`,
    );
  }
  const notes = named > layers
    ? [
      `The image's history is left out: it names ${named} layers where there ` +
      `are ${layers}, and Docker refuses that`,
    ]
    : [];
  return {
    base: { fields, config: source, oddities, faults },
    diffIds,
    notes,
  };
}

/**
 * The hex digits of a SHA-256 digest.
 *
 * @param digest The digest.
 * @param place Where it is, for the error.
 * @throws {InputError} If it is another digest, or none.
 */
export function hexOf(digest: string, place: Place): string {
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(digest) ?? [];
  if (hex) return hex;
  throw new InputError(
    `${place.text} is ${shown(digest)}, but must be sha256: and 64 hex digits`,
  );
}
