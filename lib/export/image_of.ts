import { InputError } from "../errors/input_error.ts";
import type { Image } from "../image/image.ts";
import { readAppcManifest } from "../read/read_appc.ts";
import { type ImageFields, readConfig } from "../read/read_config.ts";
import { parseNames } from "../image/name.ts";
import type { Documents } from "./documents.ts";

/**
 * The image that an archive's documents tell of, for the documents that it
 * lacks: from the image config where there is one, else from the Docker v1 json,
 * else from the appc manifest.
 *
 * @throws {InputError} If the documents tell of none, or break a rule.
 */
export function imageOf(documents: Documents): Image {
  const { image, v1, config, texts } = documents;
  const appc = texts.get("manifest");
  const json = v1 && texts.get(`${v1.place}json`);
  const names = [image?.names, v1?.names].find((names) => names?.length) ??
    (appc === undefined ? [] : [readAppcManifest(appc).name]);
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
  return {
    created: documents.mtime ?? 0,
    architecture: "amd64",
    ...(config === undefined ? v1Fields(json, appc) : readConfig(config)),
    names,
  };
}

/** What the script of 2015 wrote of an image, in two documents. */
function v1Fields(
  json: string | undefined,
  appc: string | undefined,
): ImageFields {
  const fields = json === undefined ? {} : readConfig(json);
  if (fields.command || fields.entrypoint || appc === undefined) return fields;
  return { ...readAppcManifest(appc).fields, ...fields };
}
