import { shown } from "../errors/shown.ts";
import { named } from "./failure.ts";
import { ignorePatterns, IgnoreRules } from "../directory/dockerignore.ts";
import { host } from "../system/host.ts";
import type { WalkOptions } from "../directory/walk.ts";
import type { Parsed } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/**
 * What the command line says of directories among the inputs. The patterns of
 * --exclude come after those of --ignore-file, so they have the last word.
 *
 * @param inputs The inputs that may be directories, by their paths.
 * @throws {UsageError} If an owner or a pattern is malformed, or there is one and
 * no input is a directory.
 * @throws {Error} If the ignore file cannot be read.
 */
export function directoryOptions(
  parsed: Parsed,
  inputs: string[],
): WalkOptions {
  const given = DIRECTORY_ONLY.find((name) => parsed.values(name).length > 0);
  const isDirectory = (path: string) => path !== "-" && host.isDirectory(path);
  if (given && !inputs.some(isDirectory)) {
    throw new UsageError(
      `--${given} is for a directory, and no input is one`,
    );
  }
  const output = parsed.value("output");
  const options: WalkOptions = {
    output: output === undefined || output === "-" ? null : output,
  };
  const owner = parsed.value("owner");
  if (owner !== undefined) options.owner = parseOwner(owner);
  const file = parsed.value("ignore-file");
  const rules = [
    ...(file === undefined ? [] : ignorePatterns(host.readText(file))),
    ...parsed.values("exclude"),
  ];
  if (rules.length > 0) {
    options.ignore = named(undefined, () => new IgnoreRules(rules));
  }
  return options;
}

/** Options that mean nothing where no input is a directory. */
const DIRECTORY_ONLY = ["owner", "exclude", "ignore-file"];

/** Highest number of a user or group; the next one means none to Linux. */
const MAX_ID = 2 ** 32 - 2;

function parseOwner(text: string): { uid: number; gid: number } {
  const [, uid, gid] = /^(\d{1,10}):(\d{1,10})$/.exec(text)?.map(Number) ?? [];
  if (uid === undefined || gid === undefined || Math.max(uid, gid) > MAX_ID) {
    throw new UsageError(
      `--owner ${shown(text)} is not UID:GID, two numbers such as 0:0`,
    );
  }
  return { uid, gid };
}
