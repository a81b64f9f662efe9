import { InputError } from "../errors/input_error.ts";
import type { BaseImage, Image } from "../image/image.ts";
import { parseNames } from "../image/name.ts";
import { readAppcManifest } from "../read/read_appc.ts";
import { readConfig } from "../read/read_config.ts";
import { readRuntimeConfig } from "../read/read_runtime.ts";
import type { Documents } from "./documents.ts";

/**
 * The image that an archive's documents describe, for the documents that are made
 * anew: from the image config where there is one, else from the Docker v1 json,
 * else from the appc manifest, else from the bundle's config.json.
 *
 * @throws {InputError} If the documents describe none, or break a rule.
 */
export function imageOf(documents: Documents): Image {
  const base = baseOf(documents);
  const annotations = documents.image?.annotations;
  const { created, architecture, ...fields } = base.fields;
  return {
    ...fields,
    created: created ?? documents.mtime ?? 0,
    architecture: architecture ?? "amd64",
    names: namesOf(documents),
    ...(annotations?.size && { annotations: Object.fromEntries(annotations) }),
    base,
  };
}

function namesOf({ image, v1, texts }: Documents): string[] {
  const appc = texts.get("manifest");
  const bundle = texts.get("config.json");
  const names = [image?.names, v1?.names].find((names) => names?.length) ??
    (appc !== undefined
      ? [readAppcManifest(appc).name]
      : bundle !== undefined
      ? [readRuntimeConfig(bundle).name]
      : []);
  if (names.length === 0) {
    throw new InputError(
      "The archive says no name; ciso convert can give one",
    );
  }
  try {
    parseNames(names);
  } catch (error) {
    throw new InputError(
      `${(error as Error).message}; ciso convert -t gives another name`,
    );
  }
  return names;
}

function baseOf({ image, config, v1, texts }: Documents): BaseImage {
  if (config !== undefined) {
    const path = `blobs/sha256/${image!.config}`;
    const { fields, oddities, faults } = readConfig(config, path);
    const [fault] = faults;
    if (fault) throw new InputError(fault.message);
    return { fields, oddities, config };
  }
  const appc = texts.get("manifest");
  const place = `${v1?.place}json`;
  const json = v1 && texts.get(place);
  const bundle = texts.get("config.json");
  if (json === undefined && appc === undefined && bundle !== undefined) {
    return { fields: readRuntimeConfig(bundle).fields };
  }
  const fields = json === undefined ? {} : readConfig(json, place).fields;
  if (fields.command || fields.entrypoint || appc === undefined) {
    return { fields };
  }
  // The script of 2015 wrote what an image says into two documents.
  return { fields: { ...readAppcManifest(appc).base.fields, ...fields } };
}
