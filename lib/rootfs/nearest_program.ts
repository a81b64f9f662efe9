import { shownWord } from "../errors/shown.ts";
import { utf8 } from "../streams/bytes.ts";
import { oneEditAway } from "./one_edit_away.ts";
import { NODE } from "./path_index.ts";
import { normalizePath } from "../tar/path.ts";
import type { Tree } from "./tree.ts";

/** Where programs are besides the directories of `PATH`. */
const USUAL = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
  "/app",
  "/",
];

/**
 * Looks for the program that was meant by a word which leads to none: the same
 * name in another directory, or a name that a typing error makes of it. A tree
 * has no list of its names, so likely ones are looked up.
 *
 * @param tree The root file system.
 * @param word The command's first word.
 * @param directories Absolute paths where it was looked for.
 * @returns What to say of it, such as `/bin/echo`, or `undefined`.
 */
export async function nearestProgram(
  tree: Tree,
  word: string,
  directories: string[],
): Promise<string | undefined> {
  const slash = word.lastIndexOf("/");
  const name = word.slice(slash + 1);
  const places: string[] = [];
  for (const directory of new Set([...directories, ...USUAL])) {
    const path = await realPath(tree, directory);
    if (path === undefined || places.includes(path)) continue;
    // There are hundreds of likely names for each directory.
    if (isDirectory(tree, path)) places.push(path);
  }
  const find = async (name: string) => {
    for (const directory of places) {
      const path = `${directory}/${name}`;
      // Nearly none is in the index; a look-up that follows symlinks costs
      // more.
      if (tree.index.find(utf8(path.slice(1))) < 0) continue;
      if (await isProgram(tree, path)) return path;
    }
    return undefined;
  };
  const [first = "", ...rest] = word.trim().split(/\s+/);
  if (rest.length > 0) {
    const path = first.startsWith("/")
      ? await isProgram(tree, first) ? first : undefined
      : await find(first);
    return path &&
      `${shownWord(path)}, with ${
        rest.length === 1 ? "its argument as a word" : "its arguments as words"
      } of ${rest.length === 1 ? "its" : "their"} own`;
  }
  if (name === "" || name.length > 255) return undefined;
  const same = await find(name);
  if (same) return shownWord(same);
  for (const other of oneEditAway(name)) {
    const path = other === "." || other === ".." || other === ""
      ? undefined
      : await find(other);
    if (path) return shownWord(path);
  }
  return undefined;
}

/** Whether there is a directory of that path, which is empty for the root. */
function isDirectory({ index }: Tree, path: string): boolean {
  if (path === "") return true;
  const slot = index.find(utf8(path.slice(1)));
  if (slot < 0) return false;
  const node = index.node(slot);
  return node === NODE.directory || node === NODE.missing;
}

/** Whether a path leads to a file that may be executed. */
async function isProgram(tree: Tree, path: string): Promise<boolean> {
  try {
    const slot = await tree.files.lookUp(utf8(path));
    if (slot < 0 || tree.index.node(slot) !== NODE.file) return false;
    return ((await tree.files.read(utf8(path), 0))!.mode & 0o111) !== 0;
  } catch {
    // A path that climbs is no suggestion.
    return false;
  }
}

/** A directory's path without symlinks at its end; none if it climbs. */
async function realPath(
  tree: Tree,
  directory: string,
): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let path = directory;
  for (let i = 0; i < 4; i++) {
    let bytes;
    try {
      bytes = normalizePath(utf8(path));
    } catch {
      return undefined;
    }
    path = bytes.length === 0 ? "" : `/${decoder.decode(bytes)}`;
    const link = bytes.length === 0
      ? undefined
      : await tree.files.linkAt(bytes);
    if (!link) return path;
    const target = decoder.decode(link);
    path = target.startsWith("/")
      ? target
      : `${path.slice(0, path.lastIndexOf("/"))}/${target}`;
  }
  return undefined;
}
