import type { Layer } from "../image/layer.ts";
import type { Sink } from "../streams/sink.ts";
import type { Source } from "../streams/source.ts";
import type { LayerChange } from "./layer_change.ts";
import type { RootfsTree } from "./rootfs_tree.ts";
import type { RootfsScan } from "./scan.ts";

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

/** What is known of a layer before it is read, or after. */
export interface KnownLayer {
  size?: number | undefined;
  /** SHA-256 in hex. */
  digest?: string | undefined;
}

/** Where {@linkcode readLayers} writes what it reads. */
export interface StackPlaces {
  sink: Sink;
  /**
   * Offsets in the sink of the layers and of the entries below rootfs/, as far
   * as these have a place; right if all that comes before is known.
   */
  of(layers: readonly KnownLayer[]): {
    layers: readonly (number | undefined)[];
    rootfs?: number | undefined;
  };
}
