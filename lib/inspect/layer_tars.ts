import { InputError } from "../errors/input_error.ts";
import { concat } from "../streams/bytes.ts";
import {
  type Compression,
  compressionOf,
  LOOKED_AT,
} from "../streams/compression.ts";
import {
  fromStream,
  readAt,
  type Source,
  toStream,
} from "../streams/source.ts";
import type { Entry } from "../tar/entry.ts";
import { readEntry } from "../tar/read_entry.ts";
import { SparseExpander } from "../tar/sparse.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";
import { PackageCollector } from "../packages/package_collector.ts";
import type { PackageList } from "../packages/package.ts";
import type { PackageOptions } from "../packages/package_files.ts";
import { type Archive, readRootfs } from "./archive.ts";
import { packageSink, packagesOf } from "./package_sink.ts";
import type { FoundImage, FoundLayer } from "./found_image.ts";
import { type EntryFacts, entryFacts } from "../tar/entry_facts.ts";
import { LayeredTree } from "./layered_tree.ts";
import type { LayerStats } from "./layer_stats.ts";
import { type Walkable, walkTar } from "./walk_tar.ts";

/** Takes a compression off; messages call the bytes by the name. */
export type Unpack = (
  source: Source,
  compression: Compression,
  name: string,
) => Walkable & { close?(): void };

/** A layer's tar, uncompressed. */
export interface LayerTar {
  /** Its bytes; `undefined` if the image file does not have them. */
  tar?: Walkable & { close?(): void };
  /** The compression that was taken off. */
  compression?: Compression;
}

/** What a layer shows once it is read. */
export interface ReadLayer extends LayerStats {
  compression?: Compression;
  /** Size in bytes of its blob. */
  storedSize?: number;
  /** Size in bytes of the tar. */
  tarSize?: number;
  /** Whether the image file does not have it. */
  missing: boolean;
}

/** How {@linkcode readImageTree} reads. */
export interface TreeOptions {
  /** The layer, counted from 0, to read alone: its tree has whiteouts. */
  only?: number | undefined;
  /** How packages are looked for; they are not, unless given. */
  packages?: PackageOptions | undefined;
}

/** An image's tree, and what is known of its layers. */
export interface ImageTree {
  layered: LayeredTree;
  /** Its packages, if they are asked for. */
  packages?: PackageList;
  layers: ReadLayer[];
  /** The tars that the tree's places are in, by layer. */
  tars: LayerTar[];
}

/**
 * Finds a layer's tar.
 *
 * @param name What messages call it.
 */
async function openLayer(
  { source }: FoundLayer,
  unpack: Unpack,
  name: string,
): Promise<LayerTar> {
  if (!source) return {};
  const compression = compressionOf(await readAt(source, 0, LOOKED_AT));
  return compression
    ? { tar: unpack(source, compression, name), compression }
    : { tar: source };
}

/**
 * Reads an image's layers, each one once, and makes the tree that they make. Of
 * an image without layers it is the tree in `rootfs/`.
 *
 * @throws {InputError} If a layer is no tar.
 */
export async function readImageTree(
  image: FoundImage,
  archive: Archive | undefined,
  unpack: Unpack,
  { only, packages }: TreeOptions = {},
): Promise<ImageTree> {
  const collector = packages && new PackageCollector(packages);
  // The tree of a directory comes as a layer.
  const isTree = !image.layered && image.layers[0]?.source === undefined;
  if (isTree) return await rootfsTree(archive, collector);
  const layered = new LayeredTree({ alone: only !== undefined });
  const tars: LayerTar[] = [];
  const layers: ReadLayer[] = [];
  for (const [i, layer] of image.layers.entries()) {
    const name = `layer ${i + 1}`;
    const stats = layered.beginLayer();
    collector?.beginLayer();
    const wanted = only === undefined || only === i;
    const opened = wanted ? await openLayer(layer, unpack, name) : {};
    tars.push(opened);
    const { tar, compression } = opened;
    let tarSize: number | undefined;
    if (tar) {
      try {
        ({ size: tarSize } = await walkTar(
          tar,
          (walked) => {
            layered.add(walked);
            return collector && packageSink(collector, walked);
          },
        ));
      } catch (error) {
        throw error instanceof InputError
          ? new InputError(`Layer ${i + 1}: ${error.message}`, { cause: error })
          : error;
      }
    }
    layers.push(Object.assign(stats, {
      ...(compression && { compression }),
      ...(tarSize !== undefined && { tarSize }),
      ...(layer.source && { storedSize: layer.source.size }),
      missing: !layer.source,
    }));
  }
  layered.finish();
  return {
    layered,
    layers,
    tars,
    ...(collector && { packages: packagesOf(collector, layered) }),
  };
}

async function rootfsTree(
  archive: Archive | undefined,
  collector: PackageCollector | undefined,
): Promise<ImageTree> {
  const missing = archive === undefined || archive.rootfsEntries === 0;
  const layered = missing
    ? new LayeredTree()
    : await readRootfs(archive, collector);
  const layer = Object.assign(layered.layers[0] ?? layered.beginLayer(), {
    ...(!missing &&
      { tarSize: archive.rootfsBytes, storedSize: archive.rootfsBytes }),
    missing,
  });
  return {
    layered,
    layers: [layer],
    tars: [archive ? { tar: archive.source } : {}],
    ...(collector && { packages: packagesOf(collector, layered) }),
  };
}

/**
 * The contents of a file.
 *
 * @param tar The tar that it is in.
 * @param place Where its entry is there, in bytes.
 * @throws {InputError} If no entry is there, or the tar is cut short.
 */
export async function* fileContent(
  tar: Walkable,
  place: number,
): AsyncGenerator<Uint8Array> {
  const stream = tar.slice(place, Number.MAX_SAFE_INTEGER).stream();
  let head: Uint8Array | undefined = new Uint8Array(0);
  let left = 0;
  let expander: SparseExpander | undefined;
  /**
   * Bytes of the contents still to give; padding of sparse files does not
   * count.
   */
  let size = 0;
  for await (const chunk of wholeBlocks(fromStream(stream))) {
    let data = chunk;
    if (head) {
      head = concat([head, chunk]);
      const entry = readEntry(head, 0, []);
      if (entry === "more") continue;
      if (!isEntry(entry)) throw new InputError("The file is not where it was");
      data = head.subarray(entry.end);
      left = entry.stored;
      size = entry.size;
      if (entry.sparse) expander = new SparseExpander(entry.sparse);
      head = undefined;
    }
    data = data.subarray(0, left);
    left -= data.length;
    for (const piece of expander?.push(data) ?? [data]) {
      size -= piece.length;
      if (piece.length > 0) yield piece.slice();
    }
    if (left === 0) break;
  }
  if (head || left > 0) throw new InputError("The layer is cut short");
  for (const piece of expander?.end() ?? []) {
    if (size > 0) yield piece.subarray(0, size);
    size -= piece.length;
  }
}

/**
 * What an entry says of its file, read once more.
 *
 * @param place Where it is in the tar, in bytes.
 */
export async function factsAt(
  tar: Walkable,
  place: number,
): Promise<EntryFacts> {
  const stream = tar.slice(place, Number.MAX_SAFE_INTEGER).stream();
  let bytes: Uint8Array = new Uint8Array(0);
  for await (const chunk of wholeBlocks(fromStream(stream))) {
    bytes = concat([bytes, chunk]);
    const entry = readEntry(bytes, 0, []);
    if (entry === "more") continue;
    if (!isEntry(entry)) break;
    return entryFacts({ entry, bytes, globals: new Map() })!;
  }
  throw new InputError("The file is not where it was");
}

function isEntry(item: ReturnType<typeof readEntry>): item is Entry {
  return typeof item === "object" && "kind" in item;
}

/** A source of bytes that can only be made from their beginning on. */
export function fromBeginning(
  make: () => AsyncGenerator<Uint8Array>,
): Walkable {
  return {
    stream: () => toStream(make()),
    slice: (start, end) => ({
      stream: () => toStream(part(make(), start, end)),
    }),
  };
}

async function* part(
  chunks: AsyncGenerator<Uint8Array>,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const chunk of chunks) {
    const piece = chunk.subarray(
      Math.max(0, Math.min(start - at, chunk.length)),
      Math.min(end - at, chunk.length),
    );
    at += chunk.length;
    if (piece.length > 0) yield piece.slice();
    if (at >= end) return;
  }
}
