import type { LxdMetadata } from "../formats/lxd.ts";
import { parseJson } from "../formats/json_text.ts";
import { number, object, optional, Place, record, text } from "./shape.ts";

const METADATA = object({
  architecture: text,
  creation_date: number,
  properties: optional(record(text)),
});

/**
 * Reads `metadata.yaml` as ciso writes it, which is JSON: the inverse of
 * {@linkcode lxdMetadata}. Templates are not read: LXD fills them in as root,
 * from files that the image names.
 *
 * @param source The document.
 * @returns What it says of the image.
 * @throws {InputError} If it is YAML that is not JSON, or has another shape.
 */
export function readLxdMetadata(source: string): LxdMetadata {
  const name = "metadata.yaml";
  const { properties, ...rest } = METADATA(
    parseJson(name, source),
    new Place(name),
  );
  return { ...rest, properties: Object.fromEntries(properties ?? []) };
}
