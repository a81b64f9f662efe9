import { DescriptionError } from "../../errors/description_error.ts";
import { shown } from "../../errors/shown.ts";
import type { Image } from "../../image/image.ts";

/** What Docker puts into a container whose image names no PATH. */
const DEFAULT_PATH =
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Says what is wrong with an entry of an environment. The entry itself is never
 * in the message: it may be a secret. Its name is, where it has one.
 *
 * @param entry The entry.
 * @param position Its place in the list, from 0 on.
 * @returns `undefined` if nothing is wrong.
 */
export function environmentFault(
  entry: string,
  position: number,
): string | undefined {
  const equals = entry.indexOf("=");
  const which = `Environment entry ${position + 1}`;
  if (entry === "") return `${which} is empty`;
  if (equals < 0) {
    return `${which} is not KEY=VALUE: write KEY= for an empty value`;
  }
  if (equals === 0) return `${which} has no name before its "="`;
  if (!entry.includes("\0")) return undefined;
  return `Environment variable ${
    shown(entry.slice(0, equals))
  } holds a NUL character, which no process can have`;
}

/**
 * Lists the variables that an image sets. Each one comes once, with its last
 * value, because appc forbids repeats and other engines differ in which one they
 * take.
 *
 * @param image The image.
 * @returns `KEY=VALUE` strings, in the order in which the keys first came.
 * @throws {DescriptionError} If an entry has no `=` or no key, or holds a NUL.
 */
function givenEnvironment({ env = [] }: Pick<Image, "env">): string[] {
  const variables = new Map<string, string>();
  for (const [i, entry] of env.entries()) {
    const fault = environmentFault(entry, i);
    if (fault) throw new DescriptionError(fault);
    variables.set(variableName(entry), entry);
  }
  return [...variables.values()];
}

/**
 * Lists the environment of the image's process: what it sets, and before that
 * Docker's default PATH where it sets none. Without one runc cannot find a
 * command that is named without its directory.
 *
 * @param image The image.
 * @returns `KEY=VALUE` strings.
 * @throws {DescriptionError} If an entry has no `=` or no key, or holds a NUL.
 */
export function environment(image: Pick<Image, "env" | "os">): string[] {
  const entries = givenEnvironment(image);
  // A Windows PATH looks different and comes with the system.
  const hasPath = entries.some((entry) => variableName(entry) === "PATH");
  if (!hasPath && image.os !== "windows") entries.unshift(DEFAULT_PATH);
  return entries;
}

/** The name of a variable: what is before the first `=`, or else all. */
export function variableName(entry: string): string {
  const equals = entry.indexOf("=");
  return equals < 0 ? entry : entry.slice(0, equals);
}
