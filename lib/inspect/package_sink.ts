import { InputError } from "../errors/input_error.ts";
import type { PackageCollector } from "../packages/package_collector.ts";
import type { PackageList } from "../packages/package.ts";
import { FIELD, numberField } from "../tar/block.ts";
import { normalizePath } from "../tar/path.ts";
import { SparseExpander } from "../tar/sparse.ts";
import type { LayeredTree } from "./layered_tree.ts";
import type { DataSink, Walked } from "./walk_tar.ts";

/**
 * What takes an entry's data if it says something of packages.
 *
 * @param path Its path, where that is not the entry's own.
 */
export function packageSink(
  collector: PackageCollector,
  { entry, bytes, place }: Walked,
  path: Uint8Array = entry.path,
): DataSink | undefined {
  if (entry.kind !== "file" || !collector.wants(path, entry.size)) {
    return undefined;
  }
  const normal = normalized(path);
  const sink = normal && collector.file({
    path: normal,
    size: entry.size,
    mode: numberField(bytes, FIELD.mode, entry.header) ?? 0,
    place,
    isSparse: entry.sparse !== undefined,
  });
  if (!sink) return undefined;
  if (entry.stored === 0 && !entry.sparse) {
    // An empty file has no data that would come.
    sink.onEnd();
    return undefined;
  }
  return entry.sparse
    ? expanded(sink, new SparseExpander(entry.sparse), entry.size)
    : sink;
}

/** Puts the holes of a sparse file in. */
export function expanded(
  sink: Required<DataSink>,
  expander: SparseExpander,
  size: number,
): DataSink {
  let left = size;
  const give = (pieces: Iterable<Uint8Array>) => {
    for (const piece of pieces) {
      const bytes = piece.subarray(0, left);
      left -= bytes.length;
      if (bytes.length > 0) sink.onData(bytes);
    }
  };
  return {
    onData: (bytes) => give(expander.push(bytes)),
    onEnd() {
      give(expander.end());
      sink.onEnd();
    },
  };
}

/** The packages of an image whose layers have all been read. */
export function packagesOf(
  collector: PackageCollector,
  layered: LayeredTree,
): PackageList {
  return collector.list((path) => {
    const node = nodeAtLinks(layered, path);
    return node === undefined ? undefined : layered.tree.origin(node);
  });
}

/** The node that a path leads to, or `undefined`, also if links go in a circle. */
export function nodeAtLinks(
  layered: LayeredTree,
  path: Uint8Array,
): number | undefined {
  try {
    return layered.follow(path);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function normalized(path: Uint8Array): Uint8Array | undefined {
  try {
    return normalizePath(path);
  } catch (error) {
    // The tree has a note of it.
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
