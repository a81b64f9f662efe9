import { inputChanged } from "../errors/input_changed.ts";
import { ascii, concat } from "../streams/bytes.ts";
import { NODE, type Node } from "./path_index.ts";
import { release, wholeBlocks } from "../streams/source.ts";
import { carry, TarCursor } from "../tar/cursor.ts";
import type { Entry } from "../tar/entry.ts";
import { patch, rebuild, type Target } from "../tar/rebuild.ts";
import { ancestorLength } from "../tar/path.ts";
import type { Globals } from "../tar/pax.ts";
import { SparseExpander } from "../tar/sparse.ts";
import { missingHeader, opaqueHeader, targetOf } from "./new_headers.ts";
import type { Tree } from "./tree.ts";

const EMPTY = new Uint8Array(0);

/** Where and how {@linkcode rewriteTar} places the entries. */
export interface RewriteOptions {
  /** What goes in front of every path, such as `rootfs/`. */
  prefix: string;
  /** Time for directories that have no entry, in seconds since 1970. */
  mtime: number;
  /**
   * Makes a symlink of its own of each hard link to a symlink: rkt changes the
   * mode of what the symlink leads to, or fails where that is nothing.
   */
  plainSymlinks?: boolean;
  /** Is told of each entry that is written: its path, and what it is. */
  onEntry?: (path: Uint8Array, node: Node) => void;
}

/**
 * The header blocks of the tree's root directory under another name.
 *
 * @returns `undefined` if the input has no entry for it.
 */
export function rootHeader(tree: Tree, path: string): Uint8Array | undefined {
  if (!tree.root) return undefined;
  const { bytes, globals } = tree.root;
  const cursor = new TarCursor();
  cursor.feed(bytes, 0);
  const entry = cursor.next();
  if (!entry || !("kind" in entry)) throw new Error("No root entry");
  return rebuild(bytes, entry, globals, { path: ascii(path) });
}

/**
 * Streams a tar's entries, moved to where the tree has them: header blocks are
 * patched in place where they have room, written anew where not; entries that
 * later ones replace are left out; missing directories are put in; sparse files
 * come out whole. The root directory's own entry and the closing blocks of
 * zeros are left out: they are the caller's.
 *
 * @param chunks The input's bytes. Changed in place and released.
 * @param tree What a first pass over the same bytes found.
 * @returns Chunks of whole blocks.
 * @throws {Error} If the input is not the one that the first pass has seen.
 */
export async function* rewriteTar(
  chunks: AsyncIterable<Uint8Array>,
  tree: Tree,
  options: RewriteOptions,
): AsyncGenerator<Uint8Array> {
  const prefix = ascii(options.prefix);
  const cursor = new TarCursor();
  const { index } = tree;
  let slot = 0;
  let rest: Uint8Array = new Uint8Array(0);
  let offset = 0;
  /** Whether the data where the cursor is are left out. */
  let leftOut = false;
  let expander: SparseExpander | undefined;
  /** Stored bytes of a sparse file that the expander still waits for. */
  let awaited = 0;

  for await (const chunk of wholeBlocks(chunks)) {
    const buffer = carry(rest, chunk);
    if (buffer !== chunk) release(chunk);
    cursor.feed(buffer, offset);
    /** What this buffer becomes, when it is not just itself. */
    let pieces: Uint8Array[] = [];
    /** From where on the buffer has not been put into `pieces`. */
    let from = 0;

    const flush = (until: number) => {
      if (!leftOut && until > from) {
        // Joined to the stretch before, if there is nothing between the two: a
        // buffer that only changed in place then goes on without being copied.
        const last = pieces.at(-1);
        const joined = last?.buffer === buffer.buffer &&
          last.byteOffset + last.length === buffer.byteOffset + from;
        const start = joined ? last.byteOffset - buffer.byteOffset : from;
        if (joined) pieces.pop();
        pieces.push(buffer.subarray(start, until));
      }
      from = until;
    };

    for (;;) {
      const before = cursor.position - offset;
      const item = cursor.next();
      const start = item ? item.start : cursor.position - offset;
      if (expander) {
        // The expander's output may be far larger than the buffer.
        const data = buffer.subarray(before, Math.min(start, before + awaited));
        awaited -= data.length;
        if (pieces.length > 0) yield concat(pieces);
        pieces = [];
        for (const piece of expander.push(data)) yield piece.slice();
        if (item || awaited === 0) {
          yield* expander.end();
          expander = undefined;
        }
        from = start;
      }
      if (!item) break;
      flush(start);
      if (!("kind" in item)) {
        leftOut = false;
        from = item.end;
        continue;
      }
      leftOut = true;
      // Missing directories have the slots in front of the entry's own.
      const first = slot;
      while (slot < index.length && index.node(slot) === NODE.missing) slot++;
      if (slot >= index.length) throw inputChanged();
      const own = item.kind === "label" ? EMPTY : tree.paths.of(slot, item);
      for (let i = first; i < slot; i++) {
        const path = own.subarray(0, ancestorLength(own, slot - i));
        const missing = await tree.missing(i, path);
        if (missing === "nothing") continue;
        if (tree.isOpaque(i)) {
          pieces.push(opaqueHeader(prefix, path, options.mtime));
        }
        if (missing === "new") {
          pieces.push(missingHeader(prefix, path, options.mtime));
        } else {
          const { bytes, entry, globals } = missing;
          const target = targetOf(prefix, entry, path, undefined);
          pieces.push(rebuild(bytes, entry, globals, target));
        }
      }
      const path = tree.paths.destination(slot, item);
      if (path && path.length > 0) {
        leftOut = false;
        if (tree.isOpaque(slot)) {
          pieces.push(opaqueHeader(prefix, path, options.mtime));
        }
        options.onEntry?.(path, index.node(slot));
        const symlink = options.plainSymlinks
          ? tree.links.symlink(slot)
          : undefined;
        const model = symlink ?? tree.links.model(slot);
        const target = targetOf(
          prefix,
          item,
          path,
          item.kind === "hardlink"
            ? tree.paths.linkTarget(slot, item)
            : undefined,
        );
        if (model !== undefined) {
          const { bytes, entry, globals } = await tree.stored.read(model);
          if (symlink === undefined) target.asHardLink = true;
          else delete target.link;
          pieces.push(rebuild(bytes, entry, globals, target));
          from = item.end;
        } else if (cursor.globals.size > 0 || !patch(buffer, item, target)) {
          pieces.push(rebuild(buffer, item, cursor.globals, target));
          from = item.end;
        }
        if (item.sparse) {
          expander = new SparseExpander(item.sparse);
          awaited = item.stored;
          from = item.end;
        }
      } else from = item.end;
      slot++;
    }
    const end = cursor.position - offset;
    flush(end);
    rest = buffer.slice(end);
    offset += end;
    const [piece] = pieces;
    if (
      pieces.length === 1 && piece!.buffer === buffer.buffer &&
      piece!.length === buffer.length
    ) {
      yield buffer;
    } else {
      if (pieces.length > 0) yield concat(pieces);
      release(buffer);
    }
  }
  cursor.finish(rest);
  if (expander) yield* expander.end();
  while (slot < index.length && index.node(slot) === NODE.missing) slot++;
  if (slot !== index.length) throw inputChanged();
}

/** An entry's new header blocks in bytes, as {@linkcode rewriteTar} makes them. */
export function headerSize(
  bytes: Uint8Array,
  entry: Entry,
  globals: Globals,
  target: Target,
): number {
  if (globals.size === 0 && patch(bytes, entry, target, true)) {
    return entry.end - entry.start;
  }
  return rebuild(bytes, entry, globals, target).length;
}
