import { DescriptionError } from "../errors/description_error.ts";
import { shown } from "../errors/shown.ts";
import { rfc3339 } from "../formats/values/time.ts";
import type { ImageDescription } from "../rootfs/facts.ts";

/** An {@linkcode ImageDescription} as a program gives it. */
export type IsocDescription = Omit<ImageDescription, "created"> & {
  /**
   * When the image was made: a `Date`, or seconds since 1970. `SOURCE_DATE_EPOCH`
   * of the environment unless given, or else the current time.
   */
  created?: Date | number | undefined;
};

/** The environment, where there is one: Deno, Bun and Node have it, a browser not. */
interface Environment {
  process?: { env?: Record<string, string | undefined> };
}

/**
 * Gives a description its time.
 *
 * @throws {DescriptionError} If the time is not valid.
 */
export function withTime(description: IsocDescription): ImageDescription {
  const { created } = description;
  const seconds = created instanceof Date
    ? created.getTime() / 1000
    : created ?? sourceDate() ?? Math.floor(Date.now() / 1000);
  // It throws if the time is not valid.
  rfc3339(seconds);
  return { ...description, created: seconds };
}

/** https://reproducible-builds.org/specs/source-date-epoch/ */
function sourceDate(): number | undefined {
  let text;
  try {
    text = (globalThis as Environment).process?.env?.SOURCE_DATE_EPOCH;
  } catch {
    // Deno without permission to read it.
    return undefined;
  }
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    throw new DescriptionError(
      `SOURCE_DATE_EPOCH is a count of seconds since 1970, not ${shown(text)}`,
    );
  }
  return Number(text);
}
