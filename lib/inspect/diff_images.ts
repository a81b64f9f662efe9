import { type Difference, differenceNames, type Side } from "./diff_trees.ts";
import type { FileTree, NodeType } from "./file_tree.ts";
import type { Document } from "./found_image.ts";
import { type ImageFacts, imageFacts } from "./image_facts.ts";
import { type PathText, pathText } from "./path_text.ts";
import { TreeTotals } from "./tree_facts.ts";

/** The version of the shape of {@linkcode diffReport}. */
export const DIFF_VERSION = 1;

/** A field of the configuration that differs. */
export interface FieldChange {
  field: string;
  /** The values; `null` where an image has none. */
  a: unknown;
  b: unknown;
}

/** A directory whose size differs. */
export interface DirectoryChange extends PathText {
  /** Bytes of all files in it; 0 where it is not. */
  a: number;
  b: number;
}

/** What a file is in both images, in JSON. */
export interface FileSide {
  type: NodeType;
  mode: string;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  layer: number;
}

/** A file that differs. */
export interface FileChange extends PathText {
  change: "added" | "removed" | "changed";
  /** In what it differs. */
  differs?: string[];
  a?: FileSide;
  b?: FileSide;
}

/** Directories that are named at most. */
const MOST = 20;

/** The fields of two images' configurations that differ. */
export function diffFields(
  a: Side & { documents: ReadonlyMap<string, Document> },
  b: Side & { documents: ReadonlyMap<string, Document> },
  ignoreTimes: boolean,
): FieldChange[] {
  const all = (side: typeof a) => {
    const { notes: _, history, ...facts } = imageFacts(
      side.image,
      side.documents,
    );
    return new Map<string, unknown>(Object.entries({
      ...facts,
      ...(history && { history: ignoreTimes ? timeless(history) : history }),
      layers: side.image.layers.map(({ diffId, digest }) =>
        diffId ?? digest ?? null
      ),
    }));
  };
  const [one, two] = [all(a), all(b)];
  const fields = [...new Set([...one.keys(), ...two.keys()])];
  return fields.filter((field) => !(ignoreTimes && field === "created"))
    .flatMap(
      (field) => {
        const [a, b] = [one.get(field) ?? null, two.get(field) ?? null];
        return text(a) === text(b) ? [] : [{ field, a, b }];
      },
    );
}

function timeless(history: NonNullable<ImageFacts["history"]>) {
  return history.map(({ created: _, ...entry }) => entry);
}

/** JSON in which the order of keys means nothing. */
function text(value: unknown): string {
  return JSON.stringify(
    value,
    (_, inner) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(
          Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1),
        )
        : inner,
  );
}

/** The directories whose sizes differ most, the largest difference first. */
export function diffDirectories(
  left: FileTree,
  right: FileTree,
): DirectoryChange[] {
  const one = new TreeTotals(left);
  const two = new TreeTotals(right);
  const changes: { tree: FileTree; node: number; a: number; b: number }[] = [];
  const add = (tree: FileTree, node: number, a: number, b: number) => {
    if (a === b) return;
    const size = Math.abs(a - b);
    const at = changes.findIndex(({ a, b }) => Math.abs(a - b) < size);
    changes.splice(at < 0 ? changes.length : at, 0, { tree, node, a, b });
    if (changes.length > MOST) changes.pop();
  };
  for (let node = 0; node < left.length; node++) {
    if (!left.isDirectory(node)) continue;
    const twin = right.find(left.path(node));
    const isBoth = twin >= 0 && right.isDirectory(twin);
    add(left, node, one.bytes(node), isBoth ? two.bytes(twin) : 0);
  }
  for (let node = 1; node < right.length; node++) {
    if (!right.isDirectory(node)) continue;
    const twin = left.find(right.path(node));
    if (twin >= 0 && left.isDirectory(twin)) continue;
    add(right, node, 0, two.bytes(node));
  }
  return changes.map(({ tree, node, a, b }) => ({
    ...pathText(tree.path(node)),
    a,
    b,
  }));
}

/** A difference of two trees for a report. */
export function fileChange(
  { a, b, bits }: Difference,
  left: FileTree,
  right: FileTree,
): FileChange {
  return {
    ...pathText(a >= 0 ? left.path(a) : right.path(b)),
    change: a < 0 ? "added" : b < 0 ? "removed" : "changed",
    ...(bits > 0 && { differs: differenceNames(bits) }),
    ...(a >= 0 && { a: fileSide(left, a) }),
    ...(b >= 0 && { b: fileSide(right, b) }),
  };
}

function fileSide(tree: FileTree, node: number): FileSide {
  return {
    type: tree.type(node)!,
    mode: tree.mode(node).toString(8).padStart(4, "0"),
    ...tree.owner(node),
    size: tree.size(node),
    mtime: tree.mtime(node),
    layer: tree.origin(node).layer + 1,
  };
}
