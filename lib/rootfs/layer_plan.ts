import { BLOCK, padded } from "../tar/block.ts";
import type { Entry } from "../tar/entry.ts";
import { ancestorLength, normalizePath } from "../tar/path.ts";
import type { TarHeader } from "../tar/items.ts";
import { TarReader } from "../tar/reader.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";
import { NODE, PathIndex } from "./path_index.ts";

/** A stretch of a tar, in bytes. */
export interface Range {
  start: number;
  end: number;
}

/** What goes into one layer, as stretches of the whole tar. */
export class PlannedLayer {
  /** Directories of lower layers that it has files in: engines need them again. */
  readonly parents: Range[] = [];
  /** Its own entries. */
  readonly own: Range[] = [];
  /** Hard links that come later, to files that are in here. */
  readonly links: Range[] = [];
  /** Bytes of all that. */
  size = 0;
  /** Whether it has more than directories. */
  hasFiles = false;
  /** Slots of the directories that it has. */
  readonly #directories = new Set<number>();

  /** All stretches, in order. */
  get ranges(): Range[] {
    return [...this.parents, ...this.own, ...this.links];
  }

  has(directory: number): boolean {
    return this.#directories.has(directory);
  }

  addDirectory(slot: number): void {
    this.#directories.add(slot);
  }

  add(list: Range[], { start, end }: Range): void {
    this.size += end - start;
    const last = list.at(-1);
    if (last?.end === start) last.end = end;
    else list.push({ start, end });
  }
}

/**
 * Shares the entries of a tar out among layers, in their order. All hard links of
 * a file are in one layer: an engine that unpacks an upper one would make copies,
 * or find nothing to link to.
 */
export class LayerPlan {
  readonly layers: PlannedLayer[] = [];
  readonly #limit: number;
  /** Where each entry starts; of directories also how long it is, as the link. */
  readonly #index = new PathIndex();
  /** Where layers start. */
  readonly #starts: number[] = [];
  /** Layers of hard links that are not where they were, by their slots. */
  readonly #moved = new Map<number, number>();

  /** @param limit Bytes that a layer may have, if it is not of one file. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Takes a tar in which directories come before what is in them, and files
   * before their hard links.
   *
   * @returns The same bytes.
   */
  async *watch(
    chunks: AsyncGenerator<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    const tar = new TarReader(wholeBlocks(chunks), false);
    for await (const bytes of tar.buffers()) {
      let end = 0;
      for (let item; (item = tar.next());) {
        if (item.part === "header") this.#take(item, tar.offset);
        end = item.end;
      }
      yield bytes.slice(0, end);
    }
  }

  #take({ entry, start, end }: TarHeader, offset: number): void {
    const range = {
      start: offset + start,
      end: offset + end + padded(entry.stored),
    };
    const path = normalizePath(entry.path);
    const isDirectory = entry.kind === "directory";
    const at = this.#layerOf(entry, path, range);
    const layer = this.layers[at]!;
    const isMoved = at < this.layers.length - 1;
    this.#addParents(layer, path);
    layer.add(isMoved ? layer.links : layer.own, range);
    const slot = this.#index.add(path, {
      node: isDirectory ? NODE.directory : NODE.file,
      offset: range.start / BLOCK,
      link: (end - start) / BLOCK,
    });
    if (isDirectory) layer.addDirectory(slot);
    else layer.hasFiles = true;
    if (isMoved) this.#moved.set(slot, at);
  }

  /** The number of the layer that an entry goes to. */
  #layerOf(entry: Entry, path: Uint8Array, { start, end }: Range): number {
    if (entry.kind === "hardlink") {
      const target = this.#index.find(normalizePath(entry.link));
      if (target >= 0) return this.#layerAt(target);
    }
    const layer = this.layers.at(-1);
    const size = end - start;
    const isFull = layer?.hasFiles &&
      layer.size + this.#parentsSize(layer, path) + size > this.#limit;
    if (!layer || isFull) {
      this.layers.push(new PlannedLayer());
      this.#starts.push(start);
    }
    return this.layers.length - 1;
  }

  #layerAt(slot: number): number {
    const moved = this.#moved.get(slot);
    if (moved !== undefined) return moved;
    const start = this.#index.offset(slot) * BLOCK;
    return this.#starts.findLastIndex((first) => first <= start);
  }

  /** Slots of the directories above a path that a layer lacks, lowest first. */
  *#lacking(layer: PlannedLayer, path: Uint8Array): Generator<number> {
    for (let length = path.length; length > 0;) {
      length = ancestorLength(path.subarray(0, length), 1);
      const slot = this.#index.find(path, length);
      if (slot < 0) continue;
      // What has a directory has those above it.
      if (layer.has(slot)) return;
      yield slot;
    }
  }

  #rangeOf(slot: number): Range {
    const start = this.#index.offset(slot) * BLOCK;
    return { start, end: start + this.#index.linkMetadata(slot) * BLOCK };
  }

  #parentsSize(layer: PlannedLayer, path: Uint8Array): number {
    let size = 0;
    for (const slot of this.#lacking(layer, path)) {
      const { start, end } = this.#rangeOf(slot);
      size += end - start;
    }
    return size;
  }

  #addParents(layer: PlannedLayer, path: Uint8Array): void {
    for (const slot of [...this.#lacking(layer, path)].reverse()) {
      layer.add(layer.parents, this.#rangeOf(slot));
      layer.addDirectory(slot);
    }
  }
}
