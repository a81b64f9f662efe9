import type { Image } from "../image/image.ts";

/**
 * Picks the fields that an image really sets. The `unsupportedBy…` functions
 * use it to name what their face leaves out.
 *
 * @param image The image.
 * @param fields Fields to look at.
 * @returns The fields that hold something, in the order of `fields`. Empty
 * lists, texts and records count as not set.
 */
export function givenFields(
  image: Image,
  fields: readonly (keyof Image)[],
): (keyof Image)[] {
  return fields.filter((field) => {
    const value = image[field];
    if (value === undefined || value === "") return false;
    return typeof value !== "object" || Object.keys(value).length > 0;
  });
}
