import { shown } from "../../errors/shown.ts";
import { DescriptionError } from "../../errors/description_error.ts";
import type { Image } from "../../image/image.ts";

/** What Docker puts into a container whose image names no PATH. */
const DEFAULT_PATH =
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Lists the environment of the image's process. Each variable stands once, with
 * its last value, because appc forbids repeats and other engines differ in which
 * one they take. Where no PATH is given, Docker's default one comes first:
 * without it runc cannot find a command that is named without its directory.
 *
 * @param image The image.
 * @returns `KEY=VALUE` strings, in the order in which the keys first came.
 * @throws {DescriptionError} If an entry has no `=` or no key.
 */
export function environment(image: Image): string[] {
  const variables = new Map<string, string>();
  for (const entry of image.env ?? []) {
    const equals = entry.indexOf("=");
    if (equals < 1) {
      throw new DescriptionError(
        `Environment entry ${
          shown(entry)
        } is not KEY=VALUE: write KEY= for an empty value`,
      );
    }
    variables.set(entry.slice(0, equals), entry);
  }
  const entries = [...variables.values()];
  // A Windows PATH looks different and comes with the system.
  if (!variables.has("PATH") && image.os !== "windows") {
    entries.unshift(DEFAULT_PATH);
  }
  return entries;
}
