import { InputError } from "../errors/input_error.ts";
import { checkLayerCount } from "../image/layer.ts";
import type { SeekableTar } from "../tar/seeking.ts";
import type { LayerInput } from "./layer_input.ts";
import type { ScanOptions } from "./scan.ts";
import type { Spool, StackPlaces } from "./stack.ts";
import { type StackInPlace, StackReader } from "./stack_reader.ts";

export type { LayerInput } from "./layer_input.ts";
export type {
  KnownLayer,
  LayerOutput,
  Spool,
  Stack,
  StackPlaces,
} from "./stack.ts";

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
