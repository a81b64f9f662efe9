import { InputError } from "../errors/input_error.ts";
import { fromStream, type Source } from "../streams/source.ts";
import { checkLayerCount } from "../image/layer.ts";
import {
  changedLayer,
  rootfsEntries,
  type Scan,
  scanLayer,
  type ScanOptions,
  sizeOf,
  visibleFiles,
} from "./scan.ts";
import { closing } from "../tar/header.ts";
import { TarReader } from "../tar/reader.ts";
import { headerReader, type SeekableTar, seeking } from "../tar/seeking.ts";
import { EarlyRootfs } from "./early_rootfs.ts";
import { addFirstPaths } from "./first_paths.ts";
import { type Follower, Sizer } from "./follower.ts";
import { Intake } from "./intake.ts";
import {
  type LayerInput,
  layerOptions,
  missingNote,
  scanInput,
} from "./layer_input.ts";
import { JoinedLayer } from "./joined_layer.ts";
import { Holes } from "./holes.ts";
import { LayerTree } from "./layer_tree.ts";
import { PathIndex } from "./path_index.ts";
import { RootfsTree } from "./rootfs_tree.ts";
import type {
  KnownLayer,
  LayerOutput,
  Spool,
  Stack,
  StackPlaces,
} from "./stack.ts";
import { StackedSource } from "./stacked_source.ts";
import { UnpackAhead } from "./unpack_ahead.ts";

export type { LayerInput } from "./layer_input.ts";
export type {
  KnownLayer,
  LayerOutput,
  Spool,
  Stack,
  StackPlaces,
} from "./stack.ts";

/** What {@linkcode readLayers} finds, and the layers one after another. */
type StackInPlace = Stack & { source: StackedSource };

/**
 * Reads the layers of an image, lowest first, and finds the root file system
 * that they make: entries of upper layers replace those of lower ones, whiteouts
 * delete them (OCI image-spec, layer.md "Applying Changesets"). Only paths are
 * kept in memory, hashed.
 *
 * @param spool Where a layer goes that cannot stay as it is.
 * @param places Where layers and rootfs/ are written meanwhile, if anywhere.
 * @throws {InputError} If a layer is no tar, cannot be one, or is not the one
 * that its image says.
 */
export async function readLayers(
  inputs: LayerInput[],
  options: ScanOptions,
  spool: Spool,
  places?: StackPlaces,
): Promise<StackInPlace> {
  checkLayerCount(inputs.length);
  const reader = new StackReader(inputs, options, spool, places);
  if (places) await reader.look(inputs);
  const all = inputs.map((input) =>
    inputs.filter(isSame(input)).length > 1
      ? { ...input, source: kept(input.source) }
      : input
  );
  try {
    for (const [i, input] of all.entries()) {
      await readNamed(input, all.slice(i + 1), reader);
    }
    return await reader.end();
  } finally {
    await reader.close();
  }
}

/** Reads a layer; of several, errors name it. */
async function readNamed(
  input: LayerInput,
  next: LayerInput[],
  reader: StackReader,
): Promise<void> {
  try {
    await reader.read(input, next);
  } catch (error) {
    if (error instanceof InputError && reader.hasSeveral) {
      throw new InputError(`${input.name}: ${error.message}`);
    }
    throw error;
  }
}

function isSame({ source }: LayerInput): (other: LayerInput) => boolean {
  return (other) => other.source === source;
}

/** A source that is read again: of a pipe it keeps the bytes. */
function kept(source: SeekableTar): SeekableTar {
  return {
    get size() {
      return source.size;
    },
    get isSteady() {
      return source.isSteady;
    },
    place: source.place,
    patchwork: source.patchwork,
    stream: () => source.stream(),
    slice: (start, end) => source.slice(start, end),
  };
}

/** Reads layers one by one. */
class StackReader {
  readonly #options: ScanOptions;
  readonly #spool: Spool;
  readonly #places: StackPlaces | undefined;
  readonly #known: KnownLayer[];
  readonly #ahead: UnpackAhead | undefined;
  /** Whether the image has more than one layer. */
  readonly hasSeveral: boolean;
  readonly #source = new StackedSource();
  readonly #layers: (LayerOutput & { source: Source })[] = [];
  readonly #notes: string[] = [];
  readonly #holes: Holes;
  #tree = new RootfsTree(this.#source, { whiteouts: "dropped" });
  /** Paths that upper layers have. */
  readonly #upper = new PathIndex();
  #follower: EarlyRootfs | Sizer | undefined;
  #entries = 0;

  constructor(
    inputs: LayerInput[],
    options: ScanOptions,
    spool: Spool,
    places: StackPlaces | undefined,
  ) {
    this.#options = options;
    this.#spool = spool;
    this.#places = places;
    this.#holes = new Holes(options.maxUnpacked);
    this.#known = inputs.map(({ source: { size } }) => ({ size }));
    this.#ahead = places &&
      new UnpackAhead(places.sink, (known) => places.of(known).layers);
    this.hasSeveral = inputs.length > 1;
    if (!places) this.#follower = this.#sizer();
  }

  /**
   * Looks where all will go, and for what upper layers replace, so that it is
   * not written in vain.
   */
  async look(inputs: LayerInput[]): Promise<void> {
    for (const [i, { source }] of inputs.entries()) {
      if (source.size === undefined) {
        this.#known[i] = { size: await source.likelySize?.() };
      }
      const tar = source.size === undefined ? source.before : source;
      // One of unknown size can be read once only, perhaps.
      if (i === 0 || tar?.size === undefined) continue;
      await addFirstPaths(tar, this.#upper);
    }
    this.#follower = this.#newFollower();
  }

  /**
   * Reads the next layer.
   *
   * @param next Those after it.
   */
  async read(input: LayerInput, next: readonly LayerInput[]): Promise<void> {
    const at = this.#layers.length;
    const sources = [input, ...next].map(({ source }) => source);
    const copy = await this.#ahead?.take(sources, this.#known);
    const place = this.#places?.of(this.#known).layers[at];
    const intake = new Intake(
      input.source,
      place === undefined
        ? undefined
        : { sink: this.#places!.sink, start: place, copy },
      this.#options.onRead,
    );
    const joined = this.#join(input, intake);
    // The lowest layer's own base has nothing.
    const base = at === 0 ? new RootfsTree(new StackedSource()) : this.#tree;
    input.onBelow?.(base);
    const tree = new LayerTree(
      intake.source,
      base,
      layerOptions(input, this.#holes),
    );
    const scanned = await scanInput(
      input,
      this.#options,
      (options) => scanLayer(tree, intake, options, joined),
    );
    if (input.onBelow && scanned.tree.entries === 0) {
      this.#known.splice(at, 1);
      return;
    }
    this.#note(input, scanned);
    const output = await this.#output(scanned, intake.source, place);
    this.#layers.push(output);
    if (joined?.isRight && output.changes.size === 0) {
      this.#source.clear();
      this.#source.push(output.source, output.end);
    } else {
      if (joined) this.#restart();
      await this.#add(output, tree);
    }
  }

  /** Counts what goes below rootfs/, or what is in the tree. */
  #sizer(): Sizer {
    return new Sizer(this.#tree, this.#options.treeOnly ? "" : undefined);
  }

  #newFollower(): EarlyRootfs | undefined {
    if (!this.#places) return undefined;
    const { sink } = this.#places;
    // After a layer of unknown size nothing can be written.
    const { rootfs } = this.#known.every(({ size }) => size !== undefined)
      ? this.#places.of(this.#known)
      : {};
    return rootfs === undefined ? undefined : new EarlyRootfs(
      sink,
      rootfs,
      this.#tree,
      Math.floor(this.#options.mtime),
    );
  }

  /** Puts the lowest layer's entries into the tree while they are read. */
  #join(
    { aci, root }: LayerInput,
    intake: Intake,
  ): JoinedLayer | undefined {
    // Of a tree that is not at the root the entries are others.
    if (this.#layers.length > 0 || aci || root !== undefined) return undefined;
    // There may be one before it that had no entries.
    this.#source.clear();
    this.#source.grow(intake.source);
    const { start = Infinity } = this.#follower instanceof EarlyRootfs
      ? this.#follower
      : {};
    // A layer may come out larger than it seemed.
    intake.watch(start, () => this.#stop());
    return new JoinedLayer(
      this.#tree,
      this.#follower,
      (path) => this.#upper.find(path) >= 0 && this.#stop(),
    );
  }

  /** Writes nothing below rootfs/ before all layers are read. */
  #stop(): void {
    if (this.#follower instanceof EarlyRootfs) this.#follower.stop();
  }

  /** Forgets what the lowest layer's entries seemed to be. */
  #restart(): void {
    this.#source.clear();
    this.#tree = new RootfsTree(this.#source, { whiteouts: "dropped" });
    this.#follower = this.#places ? undefined : this.#sizer();
  }

  #note({ name, fromImage }: LayerInput, { notes, tree }: Scan<LayerTree>) {
    this.#notes.push(...notes.map((note) => `${name}: ${note}`));
    if (fromImage) this.#notes.push(...missingNote(name, tree));
    this.#entries += tree.entries;
  }

  /** The layer for the archive, and the part of it that has entries. */
  async #output(
    { layer, changes, tree, end }: Scan<LayerTree>,
    intake: Source,
    written: number | undefined,
  ): Promise<LayerOutput & { source: Source; end: number }> {
    let source = intake;
    const at = this.#layers.length;
    const same = this.#known.findIndex(({ digest }) => digest === layer.digest);
    this.#known[at] = layer;
    if (changes.size > 0) {
      source = await this.#spool(changedLayer(intake, tree));
      end = layer.size - closing().length;
      written = undefined;
      // What comes after it is elsewhere.
      this.#stop();
    } else if (same >= 0 && this.#places) {
      // The archive has it once: the next layer is written over this copy.
      source = this.#layers[same]!.source;
    }
    return {
      layer,
      changes,
      source,
      end,
      chunks: () => fromSource(source),
      isSteady: source.isSteady,
      written,
    };
  }

  /** Adds a layer's entries to those of the lower ones. */
  async #add(
    output: LayerOutput & { source: Source; end: number },
    layer: LayerTree,
  ): Promise<void> {
    const tree = this.#tree;
    const start = this.#source.size;
    this.#source.push(output.source, output.end);
    await tree.beginLayer(start, layer);
    const follower: Follower | undefined = this.#follower;
    if (
      follower instanceof EarlyRootfs &&
      this.#places!.of(this.#known).rootfs !== follower.start
    ) this.#stop();
    const part = {
      size: output.end,
      stream: () => output.source.slice(0, output.end).stream(),
      slice: (from: number, to: number) => output.source.slice(from, to),
      fill: output.source.fill?.bind(output.source),
    };
    const isFollowed = () =>
      follower instanceof EarlyRootfs && follower.isRight;
    const tar: TarReader = this.#options.treeOnly
      ? headerReader(part)
      : new TarReader(seeking(part, () => tar, () => !isFollowed()));
    for await (const bytes of tar.buffers()) {
      const { offset, globals } = tar;
      follower?.begin?.(bytes);
      for (let item; (item = tar.next());) {
        let path;
        if (item.part === "header") {
          const { entry } = item;
          const at = start + offset + item.start;
          const adding = tree.add({ bytes, entry, globals, offset: at });
          path = adding instanceof Promise ? await adding : adding;
        }
        const waiting = follower?.take(item, tar, path);
        if (waiting) await waiting;
      }
      follower?.flush?.();
    }
  }

  /** Has nothing written any more. */
  async close(): Promise<void> {
    await this.#ahead?.stop();
  }

  /** What all layers make. */
  async end(): Promise<StackInPlace> {
    const tree = this.#tree;
    const source = this.#source;
    const follower: Follower | undefined = this.#follower;
    await tree.finish();
    const stack: StackInPlace = {
      layers: this.#layers,
      tree,
      source,
      rootfsSize: undefined,
      entries: this.#entries,
      notes: this.#notes,
    };
    if (follower?.isRight) {
      if (follower instanceof Sizer) stack.rootfsSize = follower.size;
      else if (follower instanceof EarlyRootfs) {
        const { rootfs } = this.#places!.of(this.#known);
        if (rootfs === follower.start) {
          stack.rootfsSize = follower.size;
          stack.writtenRootfs = rootfs;
        }
      }
    }
    if (this.#options.treeOnly) return stack;
    if (!this.#places) {
      const { mtime } = this.#options;
      stack.rootfsSize ??= await sizeOf(rootfsEntries(source, tree, mtime));
    }
    if (tree.stopsRkt) stack.visible = await visibleFiles(source, tree) ?? null;
    return stack;
  }
}

async function* fromSource(source: Source): AsyncGenerator<Uint8Array> {
  yield* fromStream(source.stream());
}
