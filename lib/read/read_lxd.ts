import { parse } from "@std/yaml";
import { counted } from "../errors/counted.ts";
import { InputError } from "../errors/input_error.ts";
import type { LxdMetadata } from "../formats/lxd.ts";
import { goArchitecture } from "../formats/values/platform.ts";
import type { ImageFields } from "../image/image.ts";
import { isName } from "../image/name.ts";
import {
  anyObject,
  anything,
  number,
  object,
  optional,
  Place,
  record,
  type Shape,
  text,
} from "./shape.ts";

const NAME = "metadata.yaml";

/** A value of YAML that is written as a text: numbers and truths, too. */
const scalar: Shape<string> = (value, place) => {
  if (["string", "number", "boolean"].includes(typeof value)) return `${value}`;
  throw place.wrong(value, "a string");
};

const METADATA = object({
  architecture: text,
  creation_date: number,
  properties: optional(record(scalar)),
});

/**
 * Reads `metadata.yaml`: the inverse of {@linkcode lxdMetadata}. Templates are
 * not read: LXD fills them in as root, from files that the image names.
 *
 * @param source The document: YAML, of which JSON is a part.
 * @returns What it says of the image.
 * @throws {InputError} If it is no YAML, or has another shape.
 */
export function readLxdMetadata(source: string): LxdMetadata {
  const { properties, ...rest } = METADATA(
    parseYaml(source),
    new Place(NAME),
  );
  return { ...rest, properties: Object.fromEntries(properties ?? []) };
}

/** What distributions write: dates as numbers or texts, properties of any kind. */
const IMAGE = object({
  architecture: optional(scalar),
  creation_date: optional(scalar),
  properties: optional(record(optional(scalar))),
  templates: optional(anyObject),
  config: optional(anything),
});

/** What an image of LXD or Incus says of itself. */
export interface LxdImage {
  names: string[];
  /** The fields that are set. */
  fields: ImageFields;
  /** What is left out, in sentences. */
  notes: string[];
}

/** Properties that say in LXD's words what a field says. */
const NO_LABELS = new Set(["architecture", "created", "type"]);

/**
 * Reads the `metadata.yaml` of any image of LXD or Incus. Its properties become
 * labels; templates are left out, since LXD fills them in for each container.
 *
 * @param source YAML.
 * @throws {InputError} If it is no YAML, or has another shape.
 *
 * @see {@link https://documentation.ubuntu.com/lxd/en/latest/reference/image_format/}
 */
export function readLxdImage(source: string): LxdImage {
  const image = IMAGE(parseYaml(source), new Place(NAME));
  const properties = new Map(
    [...image.properties ?? []].flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value] as const]
    ),
  );
  const isOwn = properties.get("os") === "linux" && properties.has("created");
  const name = properties.get("name");
  const version = isOwn ? properties.get("version") : undefined;
  const full = version === undefined ? name : `${name}:${version}`;
  const labels = [...properties].filter(([key]) =>
    !NO_LABELS.has(key) && !(isOwn && OWN.has(key))
  );
  const seconds = Number(image.creation_date);
  const author = isOwn ? properties.get("author") : undefined;
  const templates = Object.keys(image.templates ?? {}).length;
  return {
    names: full !== undefined && isName(full) ? [full] : [],
    fields: {
      ...(image.architecture &&
        goArchitecture(image.architecture, variantOf(properties, isOwn))),
      ...(Number.isSafeInteger(seconds) && seconds > 1 && {
        created: seconds,
      }),
      ...(author && { author }),
      ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
    },
    notes: templates === 0 ? [] : [
      `metadata.yaml has ${
        counted(templates, "template")
      } of files, which LXD ` +
      "and Incus fill in for each container: they are left out",
    ],
  };
}

/** Properties that ciso makes of the image's own fields. */
const OWN = new Set([
  "os",
  "description",
  "name",
  "version",
  "variant",
  "author",
]);

/** In images of distributions, `variant` is that of the distribution. */
function variantOf(
  properties: Map<string, string>,
  isOwn: boolean,
): string | undefined {
  return isOwn ? properties.get("variant") : undefined;
}

function parseYaml(source: string): unknown {
  try {
    return parse(source, { schema: "core" });
  } catch (cause) {
    // The parser's own message quotes the text as it is.
    throw new InputError(`${NAME} is not YAML`, { cause });
  }
}
