import { InputError } from "../errors/input_error.ts";
import type { Sink } from "../streams/sink.ts";
import { fromStream, type Source } from "../streams/source.ts";
import { closing } from "../tar/header.ts";
import { TarReader } from "../tar/reader.ts";
import { headerReader, type SeekableTar, seeking } from "../tar/seeking.ts";
import { EarlyRootfs } from "./early_rootfs.ts";
import { addFirstPaths } from "./first_paths.ts";
import { type Follower, Sizer } from "./follower.ts";
import { Holes } from "./holes.ts";
import { Intake } from "./intake.ts";
import { JoinedLayer } from "./joined_layer.ts";
import {
  type LayerInput,
  layerOptions,
  missingNote,
  scanInput,
} from "./layer_input.ts";
import { LayerTree } from "./layer_tree.ts";
import { PathIndex } from "./path_index.ts";
import { putChangedLayer } from "./put_layer.ts";
import { RootfsTree } from "./rootfs_tree.ts";
import {
  rootfsEntries,
  type Scan,
  scanLayer,
  type ScanOptions,
  sizeOf,
  visibleFiles,
} from "./scan.ts";
import type {
  KnownLayer,
  LayerOutput,
  Spool,
  Stack,
  StackPlaces,
} from "./stack.ts";
import { StackedSource } from "./stacked_source.ts";
import type { Tree } from "./tree.ts";
import { UnpackAhead } from "./unpack_ahead.ts";

/** What all layers make, and the layers one after another. */
export type StackInPlace = Stack & { source: StackedSource };

/** Reads layers one by one. */
export class StackReader {
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
    if (await this.#readLowest(input)) return;
    // The lowest layer's own base has nothing.
    const base = at === 0 ? new RootfsTree(new StackedSource()) : this.#tree;
    input.onBelow?.(base);
    const looked = await this.#lookAt(input, base);
    if (looked && looked.changes.size > 0) {
      this.#known[at] = {};
      await this.#ahead?.take(sourcesOf([input, ...next]), this.#known);
      await this.#take(input, looked, input.source);
      return;
    }
    // Of what has been looked at nothing is left out, and its holes have counted.
    if (looked) input = { ...input, dedupe: false };
    const holes = looked ? new Holes(Infinity) : this.#holes;
    const tree = (source: Source) =>
      new LayerTree(source, base, layerOptions(input, holes));
    await this.#readWhole(input, next, tree);
  }

  /**
   * Puts the entries of the lowest layer into the image's tree alone, if nobody
   * asks for more than that.
   *
   * @returns Whether all of them stay as they are; if not, it needs a tree of its
   * own.
   */
  async #readLowest(input: LayerInput): Promise<boolean> {
    if (!this.#options.treeOnly || !this.#isJoinable(input)) return false;
    const { source, onBelow, visible } = input;
    if (onBelow || visible) return false;
    this.#source.grow(source);
    const tree = this.#tree;
    try {
      const scanned = await scanInput(
        input,
        this.#options,
        (options) =>
          scanLayer(tree, new Intake(source), options, this.#follower),
      );
      const isWhole = !tree.rearranged && !tree.hasLateDirectories &&
        tree.missingSize === 0 && tree.changes.reasons.size === 0;
      if (isWhole) {
        this.#note(input, scanned);
        const output = await this.#output(scanned, source);
        this.#layers.push(output);
        this.#source.clear();
        this.#source.push(source, output.end);
        return true;
      }
    } catch (error) {
      // Its own tree finds the error again.
      if (!(error instanceof InputError)) throw error;
    }
    this.#restart();
    return false;
  }

  /** Reads all of the next layer. */
  async #readWhole(
    input: LayerInput,
    next: readonly LayerInput[],
    treeOf: (source: Source) => LayerTree,
  ): Promise<void> {
    const sources = sourcesOf([input, ...next]);
    const copy = await this.#ahead?.take(sources, this.#known);
    const place = this.#place;
    const destination = place && { ...place, copy };
    const { onRead } = this.#options;
    const intake = new Intake(input.source, destination, onRead);
    const joined = this.#join(input, intake);
    const tree = treeOf(intake.source);
    const scanned = await scanInput(
      input,
      this.#options,
      (options) => scanLayer(tree, intake, options, joined),
    );
    if (input.onBelow && scanned.tree.entries === 0) {
      this.#known.splice(this.#layers.length, 1);
      return;
    }
    await this.#take(input, scanned, intake.source, joined);
  }

  /**
   * Looks at the headers of a layer of which the layers below may have files: what
   * is left out then need not be written first.
   *
   * @returns `undefined` if its headers cannot be read without its data, or need
   * not be.
   */
  async #lookAt(
    input: LayerInput,
    base: RootfsTree,
  ): Promise<Scan<LayerTree> | undefined> {
    const { source, dedupe, diffId } = input;
    const canLook = source.size !== undefined && source.fill;
    if (!dedupe || !canLook || diffId !== undefined) return undefined;
    const tree = new LayerTree(source, base, layerOptions(input, this.#holes));
    const found = await scanInput(
      input,
      { ...this.#options, treeOnly: true },
      (options) => scanLayer(tree, new Intake(source), options),
    );
    if (found.changes.size > 0) this.#options.onRead?.(source.size!);
    return found;
  }

  /** Where the next layer is written, if anywhere. */
  get #place(): { sink: Sink; start: number } | undefined {
    const at = this.#layers.length;
    const start = this.#places?.of(this.#known).layers[at];
    if (start === undefined) return undefined;
    return { sink: this.#places!.sink, start };
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
  #join(input: LayerInput, intake: Intake): JoinedLayer | undefined {
    if (!this.#isJoinable(input)) return undefined;
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

  /** Whether a layer is the lowest one, and its entries are the tree's. */
  #isJoinable({ aci, root }: LayerInput): boolean {
    // Of a tree that is not at the root the entries are others.
    return this.#layers.length === 0 && !aci && root === undefined;
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

  #note({ name, fromImage }: LayerInput, { notes, tree }: Scan<Tree>) {
    this.#notes.push(...notes.map((note) => `${name}: ${note}`));
    if (fromImage && tree instanceof LayerTree) {
      this.#notes.push(...missingNote(name, tree));
    }
    this.#entries += tree.entries;
  }

  /** Takes a layer that has been read or looked at. */
  async #take(
    input: LayerInput,
    scanned: Scan<LayerTree>,
    given: Source,
    joined?: JoinedLayer,
  ): Promise<void> {
    this.#note(input, scanned);
    const output = await this.#output(scanned, given);
    this.#layers.push(output);
    if (joined?.isRight && output.changes.size === 0) {
      this.#source.clear();
      this.#source.push(output.source, output.end);
    } else {
      if (joined) this.#restart();
      await this.#add(output, scanned.tree);
    }
  }

  /** The layer for the archive, and the part of it that has entries. */
  async #output(
    { input, changes, tree, end }: Scan<Tree>,
    given: Source,
  ): Promise<LayerOutput & { source: Source; end: number }> {
    let layer = input;
    let source = given;
    const place = this.#place;
    let written = place?.start;
    if (changes.size > 0) {
      // What comes after it is elsewhere.
      this.#stop();
      const put = await putChangedLayer(given, tree, place, this.#spool);
      ({ layer, source } = put);
      if (!put.isInPlace) written = undefined;
      end = layer.size - closing().length;
    }
    const at = this.#layers.length;
    const same = this.#known.findIndex(({ digest }) => digest === layer.digest);
    this.#known[at] = layer;
    if (same >= 0 && written !== undefined) {
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

function sourcesOf(inputs: readonly LayerInput[]): SeekableTar[] {
  return inputs.map(({ source }) => source);
}

async function* fromSource(source: Source): AsyncGenerator<Uint8Array> {
  yield* fromStream(source.stream());
}
