import { escapedJson } from "../errors/shown.ts";
import type { FileTree, NodeType } from "../inspect/file_tree.ts";
import { pathText } from "../inspect/path_text.ts";
import { sortedNodes } from "../inspect/tree_facts.ts";
import { utf8 } from "../streams/bytes.ts";
import { normalizePath } from "../tar/path.ts";
import { type Paint, plain } from "./style.ts";

/** The letters for types that ls and tar have; `w` is a whiteout. */
const LETTERS: Record<NodeType, string> = {
  "file": "-",
  "directory": "d",
  "missing-directory": "d",
  "symlink": "l",
  "hardlink": "h",
  "character-device": "c",
  "block-device": "b",
  "fifo": "p",
  "whiteout": "w",
};

/** The node of a path as users write it; the root unless given. */
export function nodeAt(
  tree: FileTree,
  path: string | undefined,
): number | undefined {
  const node = tree.find(normalizePath(utf8(path ?? "")));
  return node < 0 ? undefined : node;
}

/** A node and all below it. */
function* nodesFrom(tree: FileTree, from: number): Generator<number> {
  if (from !== 0) yield from;
  yield* sortedNodes(tree, from);
}

/**
 * Lists files as `ls -l` does, with the layer of each, in lines.
 *
 * @param from The node to list, with all that is below it.
 * @param titled Whether a line says first what the columns are.
 */
export function* fileLines(
  tree: FileTree,
  from: number,
  paint: Paint,
  titled: boolean,
): Generator<string> {
  const titles = ["MODE", "OWNER", "SIZE", "MODIFIED", "LAYER", "NAME"];
  const widths = titled
    ? titles.map(({ length }) => length)
    : titles.map(() => 0);
  for (const node of nodesFrom(tree, from)) {
    cells(tree, node).forEach((cell, i) => {
      if (cell.length > widths[i]!) widths[i] = cell.length;
    });
  }
  const line = (cells: string[], name: string) =>
    cells.map((cell, i) =>
      i === 2 || i === 4 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
    ).join(" ") + ` ${name}\n`;
  if (titled) yield paint("dim", line(titles.slice(0, -1), "NAME"));
  for (const node of nodesFrom(tree, from)) {
    yield line(cells(tree, node), nameOf(tree, node, paint));
  }
}

function cells(tree: FileTree, node: number): string[] {
  const { uid, gid } = tree.owner(node);
  const device = tree.device(node);
  const isMissing = tree.type(node) === "missing-directory";
  return [
    modeText(tree, node) + (tree.hasXattrs(node) ? "+" : ""),
    isMissing ? "-" : `${uid}:${gid}`,
    device ? `${device.major},${device.minor}` : String(tree.size(node)),
    isMissing || tree.type(node) === "whiteout"
      ? "-"
      : timeText(tree.mtime(node)),
    String(tree.origin(node).layer + 1),
  ];
}

function nameOf(tree: FileTree, node: number, paint: Paint): string {
  const type = tree.type(node)!;
  const name = plain(tree.path(node)) + (tree.isDirectory(node) ? "/" : "");
  const painted = tree.isDirectory(node)
    ? paint("directory", name)
    : type === "symlink" || type === "hardlink"
    ? paint("link", name)
    : type === "whiteout"
    ? paint("removed", name)
    : type === "file" && (tree.mode(node) & 0o111) !== 0
    ? paint("program", name)
    : name;
  const link = tree.link(node);
  if (!link) return painted;
  return `${painted} ${type === "symlink" ? "->" : "link to"} ${plain(link)}`;
}

/** Type and permission bits as ls writes them: `-rwxr-xr-x`. */
function modeText(tree: FileTree, node: number): string {
  const type = tree.type(node)!;
  const mode = tree.mode(node);
  if (type === "missing-directory") return "d?????????";
  if (type === "whiteout") return "w---------";
  const bits = [8, 7, 6, 5, 4, 3, 2, 1, 0].map((bit) =>
    mode & (1 << bit) ? "xwr"[bit % 3]! : "-"
  );
  const special = [[0o4000, 2, "s"], [0o2000, 5, "s"], [
    0o1000,
    8,
    "t",
  ]] as const;
  for (const [flag, at, letter] of special) {
    if (!(mode & flag)) continue;
    bits[at] = bits[at] === "x" ? letter : letter.toUpperCase();
  }
  return LETTERS[type] + bits.join("");
}

/** A time in UTC to the minute. */
function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime())
    ? `@${seconds}`
    : date.toISOString().replace(/^\+0*(?=\d{5})/, "").replace(
      /T(\d\d:\d\d).*/,
      " $1",
    );
}

/** The same as JSON, a file a line. */
export function* filesJson(
  tree: FileTree,
  from: number,
  version: number,
): Generator<string> {
  yield `{"version": ${version}, "files": [`;
  let separator = "\n";
  for (const node of nodesFrom(tree, from)) {
    yield separator + escapedJson(fileJson(tree, node));
    separator = ",\n";
  }
  yield "\n]}\n";
}

function fileJson(tree: FileTree, node: number) {
  const type = tree.type(node)!;
  const link = tree.link(node);
  const { path: target, pathBase64: targetBase64 } = link ? pathText(link) : {};
  const device = tree.device(node);
  const { layer } = tree.origin(node);
  const plainNode = type === "missing-directory" || type === "whiteout";
  return {
    ...pathText(tree.path(node)),
    type,
    ...(!plainNode && {
      mode: tree.mode(node).toString(8).padStart(4, "0"),
      ...tree.owner(node),
      size: tree.size(node),
      mtime: tree.mtime(node),
    }),
    layer: layer + 1,
    ...(tree.hasXattrs(node) && { xattrs: true }),
    ...(target !== undefined && { target }),
    ...(targetBase64 && { targetBase64 }),
    ...(device && { device: [device.major, device.minor] }),
  };
}
