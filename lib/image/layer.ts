import { InputError } from "../errors/input_error.ts";
import type { LayerMethod } from "../streams/packing.ts";

/** What documents need to know about a layer. */
export interface Layer {
  /** SHA-256 of the uncompressed layer, 64 lower-case hex digits: its diff ID. */
  digest: string;
  /** Size of the layer in bytes. */
  size: number;
  /** The compressed layer, where the archive has it so. */
  blob?: LayerBlob | undefined;
}

/** A compressed layer as a blob. */
export interface LayerBlob {
  /** SHA-256 of the compressed bytes, 64 lower-case hex digits. */
  digest: string;
  /** How many they are. */
  size: number;
  /** How they are compressed. */
  compression: LayerMethod;
}

/** The blob that an archive has of a layer: the compressed layer, or itself. */
export function storedBlob({ blob, digest, size }: Layer): {
  digest: string;
  size: number;
  compression?: LayerMethod;
} {
  return blob ?? { digest, size };
}

/** Layers of an image at most. Each takes memory, and no engine takes more than 127. */
export const MAX_LAYERS = 2000;

/**
 * Refuses more layers than any real image has.
 *
 * @param count How many layers there are.
 * @throws {InputError} If they are more than {@linkcode MAX_LAYERS}.
 *
 * @example
 * ```ts
 * import { checkLayerCount } from "./layer.ts";
 * import assert from "node:assert/strict";
 *
 * checkLayerCount(127);
 * assert.throws(() => checkLayerCount(10_000), /has 10000 layers/);
 * ```
 */
export function checkLayerCount(count: number): void {
  if (count <= MAX_LAYERS) return;
  throw new InputError(
    `The image has ${count} layers: ciso takes at most ${MAX_LAYERS}, and ` +
      "engines 127; merge some of them",
  );
}
