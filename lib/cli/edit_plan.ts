import {
  ignorePatterns,
  IgnoreRules,
  pathGlob,
} from "../directory/dockerignore.ts";
import { parseMode } from "../edit/mode.ts";
import type {
  Edits,
  ModeRule,
  Removal,
  Tally,
  TimeRule,
} from "../edit/edits.ts";
import { shown } from "../errors/shown.ts";
import { isRefusal } from "../errors/refusal.ts";
import { parseRfc3339 } from "../formats/values/time.ts";
import { host } from "../system/host.ts";
import { type AddedFile, parseAddedFile } from "./added_file.ts";
import { named } from "./failure.ts";
import type { Parsed } from "./options.ts";
import { parseOwner } from "./owner.ts";
import { treePath } from "./tree_path.ts";
import { UsageError } from "./usage_error.ts";

/** The edits that a command line asks for. */
export interface EditPlan {
  /** All of them but added files. */
  edits: Edits;
  added: (AddedFile & { tally: Tally })[];
  /** What each one comes to. */
  tallies: Tally[];
  /** Patterns of --exclude, and the file of others. */
  excludes: string[];
  ignoreFile: string | undefined;
}

/**
 * Reads the options that edit files. The patterns of --exclude come after those
 * of --ignore-file, so they have the last word.
 *
 * @throws {UsageError} If a value is malformed; the message names the option.
 * @throws {Error} If the ignore file cannot be read.
 */
export function editPlan(parsed: Parsed): EditPlan {
  const tallies: Tally[] = [];
  const tally = (edit: string, value?: string): Tally => {
    const made = { edit, ...(value !== undefined && { value }), entries: 0 };
    tallies.push(made);
    return made;
  };
  const ignoreFile = parsed.value("ignore-file");
  const excludes = parsed.values("exclude");
  const rules = [
    ...(ignoreFile === undefined ? [] : patternsIn(ignoreFile)),
    ...excludes,
  ];
  const edits: Edits = {};
  if (ignoreFile !== undefined || excludes.length > 0) {
    edits.exclude = {
      // Those of the file are known to be right.
      rules: named("--exclude", () => new IgnoreRules(rules)),
      tally: tally("exclude"),
    };
  }
  const count = parsed.value("strip-components");
  if (count !== undefined) {
    if (!/^\d{1,4}$/.test(count)) {
      throw new UsageError(
        `--strip-components ${
          shown(count)
        } is not a count of directories, from 0 to 9999`,
      );
    }
    edits.strip = {
      count: Number(count),
      tally: tally("strip-components", count),
    };
  }
  edits.remove = parsed.values("remove").map((path): Removal => ({
    path: removedPath(path),
    tally: tally("remove", path),
  }));
  const added = parsed.values("add").map((text) => ({
    ...parseAddedFile(text, host),
    tally: tally("add", text),
  }));
  edits.chmod = parsed.values("chmod").map((text): ModeRule => ({
    ...modeRule(text),
    tally: tally("chmod", text),
  }));
  const owner = parsed.value("owner");
  if (owner !== undefined) {
    edits.owner = {
      ...parseOwner("--owner", owner),
      tally: tally("owner", owner),
    };
  }
  edits.time = timeRule(parsed, tally);
  if (parsed.on("sort")) edits.sort = { tally: tally("sort") };
  return { edits, added, tallies, excludes, ignoreFile };
}

function patternsIn(ignoreFile: string): string[] {
  const patterns = ignorePatterns(host.readText(ignoreFile));
  named(shown(ignoreFile), () => new IgnoreRules(patterns));
  return patterns;
}

function removedPath(text: string): Uint8Array {
  const path = treePath(["--remove", text], text);
  if (path.length > 0) return path;
  throw new UsageError(
    `--remove ${shown(text)} is the root: name a path below it`,
  );
}

/** Reads `GLOB=MODE`; both may hold a `=`. */
function modeRule(text: string): Pick<ModeRule, "glob" | "change"> {
  for (let at = text.indexOf("="); at > 0; at = text.indexOf("=", at + 1)) {
    const change = parseMode(text.slice(at + 1));
    if (!change) continue;
    const glob = named("--chmod", () => pathGlob(text.slice(0, at)));
    return { glob, change };
  }
  throw new UsageError(
    `--chmod ${
      shown(text)
    } is not GLOB=MODE; a MODE is octal, such as 0755 and up to 7777, or ` +
      "such as a+x and u=rwX,go=rX",
  );
}

function timeRule(
  parsed: Parsed,
  tally: (edit: string, value?: string) => Tally,
): TimeRule | undefined {
  const text = parsed.value("mtime");
  const clamp = parsed.on("clamp-mtime");
  if (text !== undefined) {
    const option = clamp ? "clamp-mtime" : "mtime";
    return { seconds: fileTime(text), clamp, tally: tally(option, text) };
  }
  if (!clamp) return undefined;
  const epoch = host.env("SOURCE_DATE_EPOCH");
  if (epoch === undefined || !/^\d{1,12}$/.test(epoch)) {
    throw new UsageError(
      `--clamp-mtime needs a time: give --mtime TIME, or ${
        epoch === undefined ? "set " : ""
      }SOURCE_DATE_EPOCH${
        epoch === undefined ? "" : `, which is ${shown(epoch)},`
      } as a count of seconds since 1970`,
    );
  }
  const value = `@${epoch}`;
  return { seconds: Number(epoch), clamp, tally: tally("clamp-mtime", value) };
}

/** Reads a time of files, in whole seconds since 1970. */
function fileTime(text: string): number {
  const [, seconds] = /^@?(-?\d{1,12})(?:\.\d*)?$/.exec(text) ?? [];
  if (seconds !== undefined && (text.startsWith("@") || seconds.length > 8)) {
    return Math.floor(Number(text.replace("@", "")));
  }
  try {
    const isDate = /^\d{4}-\d\d-\d\d$/.test(text);
    return Math.floor(parseRfc3339(isDate ? `${text}T00:00:00Z` : text));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new UsageError(
      `--mtime ${shown(text)} is not an RFC 3339 time such as ` +
        "2015-06-09T12:00:00Z, a date such as 2015-06-09, or @SECONDS since 1970",
    );
  }
}
