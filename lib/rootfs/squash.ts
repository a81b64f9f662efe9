import type { LayerInput } from "./layer_input.ts";
import { readLayers, type Spool } from "./layer_stack.ts";
import type { RootfsTree } from "./rootfs_tree.ts";
import type { ScanOptions } from "./scan.ts";
import type { SeekableTar } from "../tar/seeking.ts";
import { LowerTree, UpperLayer } from "./upper_layer.ts";

/** What {@linkcode squashLayers} makes. */
export interface Squashed {
  /** The layers: the lower ones as they were, and one that is new. */
  layers: LayerInput[];
  /** What the user should know of, in sentences. */
  notes: readonly string[];
}

/**
 * Makes one layer of all layers from one on: the files that they have together,
 * and deletions of what they delete of the layers below. On top of those, the
 * new layer makes the same tree.
 *
 * @param inputs The layers, lowest first.
 * @param kept How many of them stay as they are.
 * @param options As those of a scan.
 * @param spool Holds layers that must be changed.
 * @param later Makes a source of the new layer, which is made when it is read.
 * @throws {InputError} As {@linkcode readLayers} does.
 */
export async function squashLayers(
  inputs: readonly LayerInput[],
  kept: number,
  options: ScanOptions,
  { spool, later }: {
    spool: Spool;
    later: (name: string, layer: UpperLayer) => SeekableTar;
  },
): Promise<Squashed> {
  let lower: LowerTree | undefined;
  const { tree, source, rootfsSize, notes = [] } = await readLayers(
    inputs.map((input, i) => ({
      ...input,
      ...(i === kept && kept > 0 && {
        onBelow(below: RootfsTree) {
          input.onBelow?.(below);
          lower = new LowerTree(below);
        },
      }),
    })),
    { ...options, treeOnly: true },
    spool,
  );
  const merged = inputs.slice(kept).map(({ name }) => `${name}: `);
  const layer = new UpperLayer({ tree, source, lower, size: rootfsSize });
  const name = `layers ${kept + 1} to ${inputs.length}, squashed`;
  return {
    layers: [
      ...inputs.slice(0, kept),
      { source: later(name, layer), name },
    ],
    // Those about layers that stay come again when these are read.
    notes: notes.filter((note) => merged.some((name) => note.startsWith(name))),
  };
}
