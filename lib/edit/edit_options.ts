import { IgnoreRules, pathGlob } from "../directory/dockerignore.ts";
import { DescriptionError } from "../errors/description_error.ts";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { utf8 } from "../streams/bytes.ts";
import type { Source } from "../streams/source.ts";
import { normalizePath } from "../tar/path.ts";
import { MAX_ID } from "../tar/pax.ts";
import type { Addition, Edits, ModeRule, Owner, Tally } from "./edits.ts";
import { type ModeChange, parseMode } from "./mode.ts";

/** Directories that can be taken off paths at most. */
const MAX_STRIP = 9999;

/** Something that {@linkcode edit} adds to a tree. */
export interface AddedEntry {
  /**
   * Where it goes, from the tree's root. Missing directories above it get mode
   * 0755. It replaces a file, but no directory.
   */
  path: string;
  /** A file's bytes; of a text they are its UTF-8. */
  data?: string | Uint8Array | Blob;
  /** Instead of a file: the tar of a tree, such as a directory. */
  tree?: Source & { readonly size: number };
  /** Permission bits of the file; 0o644 unless given. */
  mode?: number;
  /** Owner of the file; that of the edit, or else 0:0, unless given. */
  owner?: Owner;
  /** Time of the file in seconds since 1970; 0 unless given. */
  mtime?: number;
}

/** New permissions for the paths that a pattern means. */
export interface ModeOption {
  /** A pattern as of `.dockerignore`, for a path alone: `bin/*`; `**` is all. */
  glob: string;
  /** Permission bits, or what GNU chmod takes, such as `a+x`. */
  mode: number | string;
}

/** What {@linkcode edit} changes. It is done in the order of these fields. */
export interface EditOptions {
  /** Patterns of files to leave out, by the rules of `.dockerignore`. */
  exclude?: readonly string[];
  /** How many directories are taken off the beginning of paths, up to 9999. */
  stripComponents?: number;
  /** Paths to remove, with all that is below them. */
  remove?: readonly string[];
  /** Files and trees to add. */
  add?: readonly AddedEntry[];
  /** New permissions, one after the other. */
  chmod?: readonly ModeOption[];
  /** Owner of all files. */
  owner?: Owner;
  /** Time of all files, in seconds since 1970. */
  mtime?: number;
  /** Whether only files that are newer get that time. */
  clampMtime?: boolean;
  /** Whether the tar gets one form, which depends on the tree alone. */
  sort?: boolean;
}

/**
 * Makes edits ready.
 *
 * @param tallies Gets an entry for each edit.
 * @throws {DescriptionError} If an option breaks a rule; the message names it.
 */
export function editsOf(options: EditOptions, tallies: Tally[]): Edits {
  const tally = (edit: string, value?: string): Tally => {
    const made = { edit, ...(value !== undefined && { value }), entries: 0 };
    tallies.push(made);
    return made;
  };
  const { exclude = [], remove = [], add = [], chmod = [] } = options;
  const { stripComponents: count, owner, mtime, clampMtime = false } = options;
  const edits: Edits = {};
  if (exclude.length > 0) {
    edits.exclude = {
      rules: asked("exclude", () => new IgnoreRules(exclude)),
      tally: tally("exclude"),
    };
  }
  if (count !== undefined) {
    checkNumber("stripComponents", count, MAX_STRIP);
    edits.strip = { count, tally: tally("strip-components", `${count}`) };
  }
  edits.remove = remove.map((text) => {
    const path = editPath("remove", text);
    if (path.length > 0) return { path, tally: tally("remove", text) };
    throw new DescriptionError(`remove: ${shown(text)} is the root`);
  });
  if (owner) checkOwner(owner);
  edits.add = add.map((entry) =>
    additionOf(entry, owner, tally("add", entry.path))
  );
  edits.chmod = chmod.map(({ glob, mode }): ModeRule => ({
    glob: asked("chmod", () => pathGlob(glob)),
    change: modeChange(mode),
    tally: tally("chmod", `${glob}=${modeText(mode)}`),
  }));
  if (owner) {
    const { uid, gid } = owner;
    edits.owner = { uid, gid, tally: tally("owner", `${uid}:${gid}`) };
  }
  if (clampMtime && mtime === undefined) {
    throw new DescriptionError("clampMtime needs a time: give mtime, too");
  }
  if (mtime !== undefined) {
    const edit = clampMtime ? "clamp-mtime" : "mtime";
    const seconds = secondsOf(mtime);
    edits.time = {
      seconds,
      clamp: clampMtime,
      tally: tally(edit, `@${mtime}`),
    };
  }
  if (options.sort) edits.sort = { tally: tally("sort") };
  return edits;
}

/** Has an error about the tar's rules be one about what was asked for. */
function asked<T>(option: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new DescriptionError(`${option}: ${error.message}`, { cause: error });
  }
}

/** A path of the tree, normalized. */
function editPath(option: string, text: string): Uint8Array {
  const origin = `${option}: ${shown(text)}`;
  if (text.includes("\0")) throw new DescriptionError(`${origin} holds a NUL`);
  if (text.split("/").includes("..")) {
    throw new DescriptionError(
      `${origin} climbs with '..'; name it from the tree's own root`,
    );
  }
  return asked(option, () => normalizePath(utf8(text)));
}

function additionOf(
  { path: text, data, tree, mode, owner, mtime = 0 }: AddedEntry,
  common: Owner | undefined,
  tally: Tally,
): Addition {
  const path = editPath("add", text);
  if ((data === undefined) === (tree === undefined)) {
    throw new DescriptionError(
      `add: ${shown(text)} needs either data or a tree`,
    );
  }
  if (owner) checkOwner(owner);
  if (mode !== undefined) checkNumber("add: mode", mode, 0o7777);
  if (tree && (mode !== undefined || owner)) {
    throw new DescriptionError(
      `add: ${shown(text)} is a tree, whose files have modes and owners of ` +
        "their own",
    );
  }
  if (data !== undefined && path.length === 0) {
    throw new DescriptionError(
      `add: ${shown(text)} is the root: name the file`,
    );
  }
  const { uid, gid } = owner ?? common ?? { uid: 0, gid: 0 };
  return {
    path,
    source: tree ?? new Blob([data as BlobPart]),
    isTree: tree !== undefined,
    mode: mode ?? 0o644,
    owner: { uid, gid },
    hasOwner: owner !== undefined,
    hasMode: mode !== undefined,
    seconds: secondsOf(mtime),
    tally,
  };
}

/** What a mode makes of the one that a file has; bits are all of them. */
function modeChange(mode: number | string): ModeChange {
  if (typeof mode === "number") checkNumber("chmod: mode", mode, 0o7777);
  const change = parseMode(modeText(mode));
  if (change) return change;
  throw new DescriptionError(
    `chmod: ${shown(`${mode}`)} is not a mode, such as 0o755, "a+x" or ` +
      '"u=rwX,go=rX"',
  );
}

/** With five digits, chmod sets a directory's set-ID bits as well. */
function modeText(mode: number | string): string {
  return typeof mode === "number" ? mode.toString(8).padStart(5, "0") : mode;
}

function checkOwner({ uid, gid }: Owner): void {
  checkNumber("owner: uid", uid, MAX_ID);
  checkNumber("owner: gid", gid, MAX_ID);
}

function checkNumber(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= most) return;
  throw new DescriptionError(
    `${name}: ${value} is not a whole number from 0 to ${most}`,
  );
}

/** Whole seconds of a time. */
function secondsOf(mtime: number): number {
  const seconds = Math.floor(mtime);
  if (Math.abs(seconds) < 1e12) return seconds;
  throw new DescriptionError(
    `mtime: ${mtime} is not a count of seconds since 1970`,
  );
}
