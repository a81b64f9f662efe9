import { InputError } from "../errors/input_error.ts";
import { ascii } from "../streams/bytes.ts";
import type { Layer } from "../image/layer.ts";
import {
  headerSize,
  type RewriteOptions,
  rewriteTar,
  rootHeader,
  targetOf,
} from "./relocate.ts";
import { NODE } from "./path_index.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import { sha256 } from "../streams/sha256.ts";
import {
  fromStream,
  release,
  type Source,
  wholeBlocks,
} from "../streams/source.ts";
import { BLOCK, padded } from "../tar/block.ts";
import { carry, TarCursor } from "../tar/cursor.ts";
import { closing } from "../tar/header.ts";
import { Tree } from "./tree.ts";
import type { LayerChange, TreeOptions } from "./tree_options.ts";

const EMPTY = new Uint8Array(0);

/** What {@linkcode scan} may be told. */
export interface ScanOptions extends TreeOptions {
  /** Time for directories that have no entry, in seconds since 1970. */
  mtime: number;
  /** Is told how many more bytes have been read. */
  onRead?: (bytes: number) => void;
}

/** What a first pass over the input has found. */
export interface Scan {
  tree: Tree;
  /** The layer that the archive will hold. */
  layer: Layer;
  /** SHA-256 of the input, in hex. */
  inputDigest: string;
  /** Where in the input the last entry ends, in bytes. */
  end: number;
  /** Why the layer is not the input byte for byte: reason and first path. */
  changes: ReadonlyMap<LayerChange, string>;
  /** Size in bytes of what {@linkcode rewriteTar} makes of it below rootfs/. */
  rootfsSize: number;
  /** Size of the input in bytes. */
  size: number;
  /** Bytes behind the tar's end that mean nothing. */
  junk: number;
  /**
   * Where the tree has devices that rkt cannot get past: all other files, or
   * `null` if they are too many to list.
   */
  visible?: string[] | null;
}

/**
 * Reads a rootfs tar once: checks every entry, finds what each path comes to,
 * and hashes the layer. All refusals come from here, before any output.
 *
 * @param source The tar. It is read once more for each pass that a rearranged
 * tree needs.
 * @throws {InputError} If the input is no tar or cannot be a rootfs.
 */
export async function scan(
  source: Source,
  options: ScanOptions,
): Promise<Scan> {
  const tree = new Tree(source, options);
  const cursor = new TarCursor();
  const hash = sha256();
  const prefix = ascii(ROOTFS);
  let size = 0;
  let rootfsSize = 0;
  let tarEnd = 0;
  let rest: Uint8Array = new Uint8Array(0);
  let offset = 0;

  async function* hashed() {
    for await (const chunk of fromStream(source.stream())) {
      hash.update(chunk);
      size += chunk.length;
      options.onRead?.(chunk.length);
      yield chunk;
    }
  }

  for await (const chunk of wholeBlocks(hashed())) {
    const buffer = carry(rest, chunk);
    if (buffer !== chunk) release(chunk);
    if (offset === 0) checkIsTar(buffer);
    cursor.feed(buffer, offset);
    for (let item; (item = cursor.next());) {
      if (!("kind" in item)) continue;
      const place = offset + item.start;
      const path = await tree.add(buffer, item, place, cursor.globals);
      tarEnd = offset + item.end + padded(item.stored);
      // A layer of several is no root file system: that one is sized later.
      if (options.base || !path) continue;
      const link = item.kind === "hardlink"
        ? tree.linkTarget(tree.index.length - 1, item)
        : undefined;
      const target = targetOf(prefix, item, path, link);
      rootfsSize += headerSize(buffer, item, cursor.globals, target) +
        padded(item.size);
    }
    const end = cursor.position - offset;
    rest = buffer.slice(end);
    offset += end;
    release(buffer);
  }
  if (size === 0) throw new InputError("The input is empty");
  cursor.finish(rest);
  if (tree.entries === 0 && !options.base) {
    throw new InputError("The tar has no entries");
  }
  await tree.finish();
  const { concatenated, globals, junk, ragged } = cursor.shape;
  // umoci fails on a layer with one, whatever it says.
  if (globals) tree.change("global-headers", EMPTY);
  if (concatenated) tree.change("several-archives", EMPTY);
  // Go's reader rejects what stands behind less than two blocks of zeros.
  if (ragged) tree.change("closing-blocks", EMPTY);

  rootfsSize += tree.impliedSize;
  if (tree.rearranged && !options.base) {
    rootfsSize = 0;
    for await (const chunk of rootfsEntries(source, tree, options.mtime)) {
      rootfsSize += chunk.length;
      release(chunk);
    }
  }
  const inputDigest = hash.hex();
  let layer: Layer = { digest: inputDigest, size };
  if (tree.changes.size > 0) {
    const hash = sha256();
    let size = 0;
    for await (
      const chunk of changedLayer(source, tree, options.base)
    ) {
      hash.update(chunk);
      size += chunk.length;
      release(chunk);
    }
    layer = { digest: hash.hex(), size };
  }
  const found: Scan = {
    tree,
    layer,
    inputDigest,
    end: tarEnd,
    changes: tree.changes,
    rootfsSize,
    size,
    junk,
  };
  if (tree.stopsRkt && !options.base) {
    found.visible = await visibleFiles(source, tree) ?? null;
  }
  return found;
}

/** The input's entries as they stand below rootfs/. */
export function rootfsEntries(
  source: Source,
  tree: Tree,
  mtime: number,
  onEntry?: RewriteOptions["onEntry"],
): AsyncGenerator<Uint8Array> {
  return rewriteTar(fromStream(source.stream()), tree, {
    prefix: ROOTFS,
    mtime,
    plainSymlinks: true,
    onEntry,
  });
}

/** Characters of paths at most that go into an appc manifest's list. */
const MAX_VISIBLE = 1 << 23;

/**
 * Lists the files that rkt shall see: all but the devices that it cannot get
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
  const entries = rootfsEntries(source, tree, 0, (path, node) => {
    // Directories are always visible.
    if (node === NODE.directory || node === NODE.hidden) return;
    size += path.length;
    if (size <= MAX_VISIBLE) paths.push(`/${decoder.decode(path)}`);
  });
  for await (const chunk of entries) release(chunk);
  return size <= MAX_VISIBLE ? paths : undefined;
}

/** The bytes of a layer that cannot be the input as it is. */
export async function* changedLayer(
  source: Source,
  tree: Tree,
  base?: Tree,
): AsyncGenerator<Uint8Array> {
  const root = rootHeader(tree, "./");
  if (root) yield root;
  yield* rewriteTar(fromStream(source.stream()), tree, {
    prefix: "",
    // Directories without an entry get one: the layer, and its digest, must not
    // depend on when the image is made.
    mtime: 0,
    base,
  });
  yield closing();
}

/** Tells what the input is when it does not start as a tar does. */
function checkIsTar(buffer: Uint8Array): void {
  if (buffer.length >= BLOCK) {
    const cursor = new TarCursor();
    cursor.feed(buffer, 0);
    try {
      cursor.next();
      return;
    } catch (error) {
      // Its checksum is right: the cursor's own message says more.
      if (!/^Bad header checksum at byte 0 /.test((error as Error).message)) {
        return;
      }
    }
  }
  throw new InputError("The input is no tar archive");
}
