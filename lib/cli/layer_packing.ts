import type { PackLayer } from "../build/pack_layers.ts";
import { LAYER_METHODS } from "../streams/packing.ts";
import { packChunks } from "../system/pack_layer.ts";
import { methodOf } from "./compress_options.ts";
import type { Parsed } from "./options.ts";

/**
 * How layers are compressed, by --layer-compression.
 *
 * @returns `undefined` if they are not.
 * @throws {UsageError} If its value is wrong.
 */
export function layerPacking(parsed: Parsed): PackLayer | undefined {
  const option = "layer-compression";
  const text = parsed.value(option);
  if (text === undefined) return undefined;
  const { method, level } = methodOf(`--${option}`, text, LAYER_METHODS);
  return method && ((chunks) => packChunks(chunks, method, level));
}
