import type { Source } from "../streams/source.ts";
import { BLOCK } from "../tar/block.ts";
import { closing } from "../tar/header.ts";
import type { SeekableTar } from "../tar/seeking.ts";
import { LayerPlan, type PlannedLayer } from "./layer_plan.ts";
import { changedLayer } from "./changed_layer.ts";
import { type ScanOptions, scanRootfs } from "./scan.ts";
import type { Spool } from "./stack.ts";
import { StackedSource } from "./stacked_source.ts";

/** What a rootfs has been split into. */
export interface SplitRootfs {
  /** The layers, lowest first. */
  layers: SeekableTar[];
  /** What the user should know of, in sentences. */
  notes: string[];
}

/**
 * Splits a rootfs into layers that make the same tree. Each has the directories
 * that its files are in, and all hard links of its files.
 *
 * @param source The rootfs, to be read twice or more.
 * @param size Bytes that a layer may have; one file alone may have more.
 * @param spool Holds a copy of the entries as all engines read them.
 * @returns The layers; none if the rootfs needs no more than one.
 * @throws {InputError} If the input is no tar or cannot be a rootfs.
 */
export async function splitRootfs(
  source: SeekableTar,
  size: number,
  spool: Spool,
  options: ScanOptions,
): Promise<SplitRootfs> {
  const most = size - closing().length;
  if (source.size !== undefined && source.size <= most) {
    return { layers: [], notes: [] };
  }
  const scanned = await scanRootfs(source, options);
  const plan = new LayerPlan(most);
  const whole = await spool(
    plan.watch(changedLayer(scanned.source, scanned.tree)),
  );
  const { notes } = scanned;
  if (plan.layers.length < 2) return { layers: [], notes };
  return { layers: plan.layers.map((layer) => layerOf(layer, whole)), notes };
}

/** A planned layer as a source. */
function layerOf(planned: PlannedLayer, whole: Source): SeekableTar {
  const stacked = new StackedSource();
  for (const { start, end } of planned.ranges) {
    stacked.push(partOf(whole, start), end - start);
  }
  stacked.push(new Blob([closing() as Uint8Array<ArrayBuffer>]), 2 * BLOCK);
  return {
    size: stacked.size,
    isSteady: whole.isSteady,
    stream: () => stacked.stream(),
    slice: (start, end) => stacked.slice(start, end),
  };
}

/** A source from an offset on. */
function partOf(whole: Source, from: number): Source {
  const slice = (start: number, end: number) =>
    whole.slice(from + start, from + end);
  return { slice, stream: () => slice(0, Infinity).stream() };
}
