import { ROOTFS } from "../image/rootfs_prefix.ts";
import type { sha256 } from "../streams/sha256.ts";
import { fromStream, release, type Source } from "../streams/source.ts";
import { NODE } from "./path_index.ts";
import { relocate, type RelocateOptions } from "./relocate.ts";
import type { Tree } from "./tree.ts";

/** Bytes in all of some chunks, which are released. */
export async function sizeOf(
  chunks: AsyncGenerator<Uint8Array>,
  hash?: ReturnType<typeof sha256>,
): Promise<number> {
  let size = 0;
  for await (const chunk of chunks) {
    hash?.update(chunk);
    size += chunk.length;
    release(chunk);
  }
  return size;
}

/**
 * The input's entries as they are below rootfs/. A directory comes before what is
 * in it: apptainer makes no missing ones.
 */
export function rootfsEntries(
  source: Source,
  tree: Tree,
  onEntry?: RelocateOptions["onEntry"],
): AsyncGenerator<Uint8Array> {
  return relocate(fromStream(source.stream()), tree, {
    prefix: ROOTFS,
    plainSymlinks: true,
    parentsFirst: true,
    onEntry,
  });
}

/** Characters of paths at most that go into an appc manifest's list. */
const MAX_VISIBLE = 1 << 23;

/**
 * Lists the files that rkt may see: all but the devices that it cannot get
 * past. Reads the source once more.
 *
 * @returns Absolute paths, or `undefined` if they are too many to list.
 */
export async function visibleFiles(
  source: Source,
  tree: Tree,
): Promise<string[] | undefined> {
  const decoder = new TextDecoder();
  const paths: string[] = [];
  let size = 0;
  const entries = rootfsEntries(source, tree, (path, node) => {
    // Directories are always visible.
    if (node === NODE.directory || node === NODE.hidden) return;
    size += path.length;
    if (size <= MAX_VISIBLE) paths.push(`/${decoder.decode(path)}`);
  });
  for await (const chunk of entries) release(chunk);
  return size <= MAX_VISIBLE ? paths : undefined;
}
