import { InputError } from "../errors/input_error.ts";
import { sameValue } from "../formats/same_value.ts";
import type { BaseImage, ImageFields } from "../image/image.ts";

/** The fields of a new image that depend on its base image. */
type Made = ImageFields & { created: number; base?: BaseImage | undefined };

/** Fields that an image adds to: what the other one has there stays. */
const ADDED = new Set(["env", "exposedPorts", "volumes", "labels"]);

/**
 * Refuses a base image with fields that no engine can read, unless the new image
 * says something else there.
 *
 * @throws {InputError} If a field is one of these.
 */
export function checkBase(image: Made): void {
  for (const { field, message } of image.base?.faults ?? []) {
    if (!isReplaced(image, field)) throw new InputError(message);
  }
}

/**
 * What the base image says that not every face can.
 *
 * @returns Sentences; nothing of fields that the new image replaces.
 */
export function baseNotes(image: Made): string[] {
  return (image.base?.oddities ?? [])
    .filter(({ field }) => ADDED.has(field) || !isReplaced(image, field))
    .map(({ note }) => note);
}

function isReplaced(image: Made, field: keyof ImageFields): boolean {
  const { fields } = image.base!;
  if (field === "created") return image.created !== (fields.created ?? 0);
  return !sameValue(image[field], fields[field]);
}
