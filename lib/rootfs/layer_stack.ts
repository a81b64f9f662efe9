import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import {
  fromStream,
  release,
  type Source,
  toStream,
} from "../streams/source.ts";
import { checkLayerCount, type Layer } from "../image/layer.ts";
import {
  changedLayer,
  rootfsEntries,
  type RootfsScan,
  type Scan,
  scanLayer,
  type ScanOptions,
  visibleFiles,
} from "./scan.ts";
import { closing } from "../tar/header.ts";
import { entriesOf } from "../tar/entries.ts";
import { NO_RECORDS } from "../tar/pax.ts";
import type { LayerChange } from "./layer_change.ts";
import { Holes } from "./holes.ts";
import { type LayerOptions, LayerTree } from "./layer_tree.ts";
import { RootfsTree } from "./rootfs_tree.ts";

/** One of an image's layers, to be read. */
export interface LayerInput {
  /** The layer as an uncompressed tar. */
  source: Source;
  /** What messages call it. */
  name: string;
  /** SHA-256 that it must have, in hex, where its image says one. */
  diffId?: string | undefined;
  /**
   * Whether it is a tree, such as an ACI's: names that start with `.wh.` delete
   * nothing there.
   */
  aci?: boolean | undefined;
  /** Only what is below this directory counts. */
  root?: string | undefined;
  /** Absolute paths of the files that an ACI shows, where it hides others. */
  visible?: string[] | undefined;
  /** Whether it comes with an image: then it stays as it is where it can. */
  fromImage?: boolean | undefined;
}

/** A layer as it goes into the archive. */
export interface LayerOutput {
  layer: Layer;
  /** Why it is not the input byte for byte. */
  changes: ReadonlyMap<LayerChange, Uint8Array>;
  /** Its bytes; each call reads the source anew. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** As {@linkcode Source.isSteady}. */
  isSteady?: boolean | undefined;
  /** Where it has been written already, as an offset in the sink. */
  written?: number | undefined;
}

/** What all layers make together. */
export interface Stack {
  layers: LayerOutput[];
  /** The root file system: the tree, and the source that holds its entries. */
  tree: RootfsTree;
  source: Source;
  /** Size in bytes of what is below rootfs/, where that is known. */
  rootfsSize: number | undefined;
  /** Where that has been written already, as an offset in the sink. */
  writtenRootfs?: number | undefined;
  /** As {@linkcode RootfsScan.visible}. */
  visible?: RootfsScan["visible"];
  /** How many entries the inputs have. */
  entries: number;
  /** What the user should know of, in sentences. */
  notes?: string[];
}

/** Spools bytes where they can be read again, such as in a temporary file. */
export type Spool = (chunks: AsyncGenerator<Uint8Array>) => Promise<Source>;

/**
 * Reads the layers of an image, lowest first, and finds the root file system
 * that they make: entries of upper layers replace those of lower ones, whiteouts
 * delete them (OCI image-spec, layer.md "Applying Changesets"). Only paths are
 * kept in memory, hashed.
 *
 * @param spool Where a layer goes that cannot stay as it is.
 * @throws {InputError} If a layer is no tar, cannot be one, or is not the one
 * that its image says.
 */
export async function readLayers(
  inputs: LayerInput[],
  options: ScanOptions,
  spool: Spool,
): Promise<Stack> {
  checkLayerCount(inputs.length);
  const source = new StackedSource();
  const tree = new RootfsTree(source, { whiteouts: "dropped" });
  const layers: LayerOutput[] = [];
  const notes: string[] = [];
  const holes = new Holes(options.maxUnpacked);
  let entries = 0;
  for (const input of inputs) {
    try {
      const scanned = await scanInput(
        new LayerTree(input.source, tree, layerOptions(input, holes)),
        input,
        options,
      );
      notes.push(...scanned.notes.map((note) => `${input.name}: ${note}`));
      if (input.fromImage) notes.push(...missingNote(input.name, scanned.tree));
      entries += scanned.tree.entries;
      const output = await toOutput(input, scanned, spool);
      layers.push(output);
      const start = source.size;
      source.push(output.source, output.end);
      await addLayer(tree, source, start, scanned.tree);
    } catch (error) {
      if (error instanceof InputError && inputs.length > 1) {
        throw new InputError(`${input.name}: ${error.message}`);
      }
      throw error;
    }
  }
  await tree.finish();
  let rootfsSize = 0;
  for await (const chunk of rootfsEntries(source, tree, options.mtime)) {
    rootfsSize += chunk.length;
    release(chunk);
  }
  const stack: Stack = { layers, tree, source, rootfsSize, entries, notes };
  if (tree.stopsRkt) stack.visible = await visibleFiles(source, tree) ?? null;
  return stack;
}

/** SHA-256 of no bytes. */
const NOTHING =
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Reads a layer, which must be the one that its image says. */
async function scanInput(
  layer: LayerTree,
  { source, fromImage = false, diffId }: LayerInput,
  options: ScanOptions,
): Promise<Scan<LayerTree>> {
  const scanned = await scanLayer(layer, source, {
    ...options,
    stopsAtEnd: fromImage,
    // Engines take a layer of no bytes, if its image says that it has none.
    mayBeEmpty: diffId === NOTHING,
  });
  if (diffId && diffId !== scanned.inputDigest) {
    throw new InputError(
      `It is damaged: its digest is sha256:${scanned.inputDigest}, but the ` +
        `image says sha256:${diffId}; fetch the image again`,
    );
  }
  return scanned;
}

/** Adds the entries of a layer, which start at an offset in the source. */
async function addLayer(
  tree: RootfsTree,
  source: StackedSource,
  start: number,
  layer: LayerTree,
): Promise<void> {
  await tree.beginLayer(start, layer);
  const stretch = source.slice(start, source.size).stream();
  for await (const { entry, bytes, place } of entriesOf(stretch)) {
    const offset = start + place;
    await tree.add({ bytes, entry, globals: NO_RECORDS, offset });
  }
}

/** How a layer takes its entries. */
function layerOptions(
  { aci, root, visible, fromImage }: LayerInput,
  holes: Holes,
): LayerOptions {
  return {
    holes,
    whiteouts: !aci,
    keepMissing: fromImage,
    ...(root !== undefined && { strip: root }),
    ...(visible && { only: new Set(visible) }),
  };
}

/** Tells of directories that Docker makes anew. */
function* missingNote(
  name: string,
  { missingBelow }: LayerTree,
): Generator<string> {
  const [first] = missingBelow.values();
  if (!first) return;
  yield `${name} has no entry for the directory ${shown(first.path)}` +
    `${
      missingBelow.size > 1 ? ` and ${missingBelow.size - 1} more` : ""
    }: Docker gives it ` +
    "mode 0755 and owner root, other engines keep what lower layers say";
}

/** The layer for the archive, and the part of it that has entries. */
async function toOutput(
  input: LayerInput,
  scanned: Scan<LayerTree>,
  spool: Spool,
): Promise<LayerOutput & { source: Source; end: number }> {
  const { layer, changes, tree } = scanned;
  let { source } = input;
  let { end } = scanned;
  if (changes.size > 0) {
    source = await spool(changedLayer(source, tree));
    end = layer.size - closing().length;
  }
  return {
    layer,
    changes,
    source,
    end,
    chunks: () => fromSource(source),
    isSteady: source.isSteady,
  };
}

async function* fromSource(source: Source): AsyncGenerator<Uint8Array> {
  yield* fromStream(source.stream());
}

/** Several sources, one after another. */
class StackedSource implements Source {
  /** Size in bytes of all of them. */
  size = 0;
  readonly #parts: { source: Source; start: number; end: number }[] = [];

  /** Adds the first bytes of a source. */
  push(source: Source, size: number): void {
    if (size === 0) return;
    const start = this.size;
    this.size += size;
    this.#parts.push({ source, start, end: this.size });
  }

  stream(): ReadableStream<Uint8Array> {
    return this.slice(0, this.size).stream();
  }

  slice(start: number, end: number): Pick<Source, "stream"> {
    return { stream: () => toStream(this.#chunks(start, end)) };
  }

  async *#chunks(start: number, end: number): AsyncGenerator<Uint8Array> {
    for (const part of this.#parts) {
      const from = Math.max(start, part.start);
      const to = Math.min(end, part.end);
      if (from >= to) continue;
      yield* fromStream(
        part.source.slice(from - part.start, to - part.start).stream(),
      );
    }
  }
}
