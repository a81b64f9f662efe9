import { shown } from "../errors/shown.ts";
import { type ModeChange, parseMode } from "../edit/mode.ts";
import type { Owner } from "../edit/edits.ts";
import { parseOwner } from "./owner.ts";
import { treePath } from "./tree_path.ts";
import { UsageError } from "./usage_error.ts";

/** What `--add` asks for. */
export interface AddedFile {
  /** The file; `-` is standard input. */
  file: string;
  /** Where it goes, normalized. */
  path: Uint8Array;
  mode?: ModeChange;
  owner?: Owner;
}

/** Tells what is there. */
export interface FilesThere {
  exists(path: string): boolean;
  isDirectory(path: string): boolean;
}

/**
 * Reads the value of `--add`. Colons separate; `\:` is a colon of a path. Where
 * there are more colons than that, the file that is there tells what was meant.
 *
 * @param text `FILE:PATH[:MODE[:UID:GID]]`.
 * @param files Tells what is there.
 * @throws {UsageError} If it has another form.
 */
export function parseAddedFile(
  text: string,
  files: FilesThere,
): AddedFile {
  const fields = splitAtColons(text);
  const found: Pick<AddedFile, "mode" | "owner"> = {};
  const [mode, uid, gid] = fields.slice(-3);
  if (
    fields.length >= 5 && parseMode(mode!) && /^\d+$/.test(uid!) &&
    /^\d+$/.test(gid!)
  ) {
    found.owner = parseOwner("--add", `${uid}:${gid}`);
    found.mode = parseMode(mode!)!;
    fields.splice(-3);
  } else if (fields.length >= 3) {
    const change = parseMode(fields.at(-1)!);
    if (change) {
      found.mode = change;
      fields.pop();
    }
  }
  const [file, path] = fileAndPath(text, fields, files);
  return { ...found, file, path: pathOf(text, file, path, files) };
}

/** The fields of a value, `\:` and `\\` taken for the signs. */
function splitAtColons(text: string): string[] {
  const fields = [""];
  for (const [sign] of text.matchAll(/\\[\\:]|[^]/g)) {
    if (sign === ":") fields.push("");
    else fields[fields.length - 1] += sign.length > 1 ? sign[1]! : sign;
  }
  return fields;
}

/** Which fields are the file's, and which the path's. */
function fileAndPath(
  text: string,
  fields: string[],
  { exists }: FilesThere,
): [file: string, path: string] {
  // A mode that is none, or half an owner, is no end of a path's name.
  const isOdd = /^(\d+|[ugoa]*[-+=].*)$/.test(fields.at(-1)!) ||
    fields.length > 4 && parseMode(fields.at(-3)!) !== undefined;
  if (fields.length > 2 && isOdd) {
    throw new UsageError(
      `--add ${shown(text)} is not FILE:PATH[:MODE[:UID:GID]]: a MODE is ` +
        "octal, up to 7777, or such as a+x; UID and GID are numbers; \\: is " +
        "a colon of a path",
    );
  }
  const splits = fields.slice(1).map((_, i): [string, string] => [
    fields.slice(0, i + 1).join(":"),
    fields.slice(i + 1).join(":"),
  ]).filter(([file, path]) => file !== "" && path !== "");
  const [only, ...others] = splits;
  if (!only) {
    throw new UsageError(
      `--add ${shown(text)} is not FILE:PATH[:MODE[:UID:GID]]`,
    );
  }
  if (others.length === 0) return only;
  const likely = splits.filter(([file]) => file === "-" || exists(file));
  const absolute = likely.filter(([, path]) => path.startsWith("/"));
  const [best, second] = absolute.length > 0 ? absolute : likely;
  if (best && !second) return best;
  throw new UsageError(
    `--add ${
      shown(text)
    } has more colons than FILE:PATH[:MODE[:UID:GID]]; write ` +
      "\\: for a colon that is part of a path",
  );
}

/** Where a file goes; below `DIRECTORY/` it has its own name. */
function pathOf(
  text: string,
  file: string,
  path: string,
  { isDirectory }: FilesThere,
): Uint8Array {
  const isRoot = /^(\.?\/)*\.?$/.test(path);
  // What a directory holds goes into the root itself.
  const isWhole = isRoot
    ? file !== "-" && isDirectory(file)
    : !path.endsWith("/");
  if (!isWhole && file === "-") {
    throw new UsageError(
      `--add ${shown(text)}: standard input has no name; give the whole path`,
    );
  }
  const name = file.replace(/\/+$/, "").replace(/^.*\//s, "");
  return treePath(["--add", text], isWhole ? path : `${path}/${name}`);
}
