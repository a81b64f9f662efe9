import { InputError } from "../errors/input_error.ts";
import type { Sink } from "../streams/sink.ts";
import { fromStream, type Source } from "../streams/source.ts";
import { closing } from "../tar/header.ts";
import type { SeekableTar } from "../tar/seeking.ts";
import { addFirstPaths } from "./first_paths.ts";
import { Holes } from "./holes.ts";
import { Intake } from "./intake.ts";
import type { JoinedLayer } from "./joined_layer.ts";
import {
  type LayerInput,
  layerOptions,
  missingNote,
  scanInput,
} from "./layer_input.ts";
import { LayerTree } from "./layer_tree.ts";
import { putChangedLayer } from "./put_layer.ts";
import { RootfsTree } from "./rootfs_tree.ts";
import { type Scan, scanLayer, type ScanOptions } from "./scan.ts";
import { rootfsEntries, sizeOf, visibleFiles } from "./rootfs_entries.ts";
import type { KnownLayer, Spool, Stack, StackPlaces } from "./stack.ts";
import { type ReadLayer, StackTree } from "./stack_tree.ts";
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
  readonly #layers: ReadLayer[] = [];
  readonly #notes: string[] = [];
  readonly #holes: Holes;
  readonly #stack: StackTree;
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
    this.#stack = new StackTree(
      options,
      places && {
        sink: places.sink,
        start: () => places.of(this.#known).rootfs,
      },
    );
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
      await addFirstPaths(tar, this.#stack.upper);
    }
    // After a layer of unknown size nothing can be written.
    const isKnown = this.#known.every(({ size }) => size !== undefined);
    if (isKnown) this.#stack.writeEarly();
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
    const base = at === 0
      ? new RootfsTree(new StackedSource())
      : this.#stack.tree;
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
    const stack = this.#stack;
    const { tree, follower } = stack;
    stack.source.grow(source);
    try {
      const scanned = await scanInput(
        input,
        this.#options,
        (options) => scanLayer(tree, new Intake(source), options, follower),
      );
      const isWhole = !tree.rearranged && !tree.hasLateDirectories &&
        tree.missingSize === 0 && tree.changes.reasons.size === 0;
      if (isWhole) {
        this.#note(input, scanned);
        const output = await this.#output(scanned, source);
        this.#layers.push(output);
        stack.takeLowest(output);
        return true;
      }
    } catch (error) {
      // Its own tree finds the error again.
      if (!(error instanceof InputError)) throw error;
    }
    stack.restart();
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
    const joined = this.#isJoinable(input)
      ? this.#stack.join(intake)
      : undefined;
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

  /** Whether a layer is the lowest one, and its entries are the tree's. */
  #isJoinable({ aci, root }: LayerInput): boolean {
    // Of a tree that is not at the root the entries are others.
    return this.#layers.length === 0 && !aci && root === undefined;
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
      this.#stack.takeLowest(output);
    } else {
      if (joined) this.#stack.restart();
      await this.#stack.add(output, scanned.tree);
    }
  }

  /** The layer for the archive, and the part of it that has entries. */
  async #output(
    { input, changes, tree, end }: Scan<Tree>,
    given: Source,
  ): Promise<ReadLayer> {
    let layer = input;
    let source = given;
    const place = this.#place;
    let written = place?.start;
    if (changes.size > 0) {
      // What comes after it is elsewhere.
      this.#stack.stop();
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
      chunks: () => fromStream(source.stream()),
      isSteady: source.isSteady,
      written,
    };
  }

  /** Has nothing written any more. */
  async close(): Promise<void> {
    await this.#ahead?.stop();
  }

  /** What all layers make. */
  async end(): Promise<StackInPlace> {
    const { tree, source } = this.#stack;
    await tree.finish();
    const stack: StackInPlace = {
      layers: this.#layers,
      tree,
      source,
      ...this.#stack.rootfs,
      entries: this.#entries,
      notes: this.#notes,
    };
    if (this.#options.treeOnly) return stack;
    if (!this.#places) {
      stack.rootfsSize ??= await sizeOf(rootfsEntries(source, tree));
    }
    if (tree.stopsRkt) stack.visible = await visibleFiles(source, tree) ?? null;
    return stack;
  }
}

function sourcesOf(inputs: readonly LayerInput[]): SeekableTar[] {
  return inputs.map(({ source }) => source);
}
