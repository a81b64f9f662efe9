import type { Layer } from "../image/layer.ts";
import { sha256 } from "../streams/sha256.ts";
import type { Sink } from "../streams/sink.ts";
import type { Source } from "../streams/source.ts";
import { changedLayer, changedMaking } from "./changed_layer.ts";
import type { Spool } from "./stack.ts";
import type { Tree } from "./tree.ts";

/** A changed layer where it can be read. */
interface PutLayer {
  layer: Layer;
  source: Source;
  /** Whether it is where it was to be written. */
  isInPlace: boolean;
}

/**
 * Writes a layer that cannot be the input as it is: to its place, by two threads,
 * if the input is in a file; to a spool if not.
 *
 * @param place Where it belongs, if it has a place.
 */
export async function putChangedLayer(
  source: Source,
  tree: Tree,
  place: { sink: Sink; start: number } | undefined,
  spool: Spool,
): Promise<PutLayer> {
  let size = 0;
  const making = place && changedMaking(source, tree);
  const copy = making && place.sink.copy(making, place.start);
  if (copy) {
    try {
      for await (const chunk of copy.chunks()) size += chunk.length;
    } catch (error) {
      copy.cancel();
      throw error;
    }
    const digest = await copy.hex();
    const source = place!.sink.source(place!.start, () => size);
    return { layer: { digest, size }, source, isInPlace: true };
  }
  const hash = sha256();
  const watched = async function* () {
    for await (const chunk of changedLayer(source, tree)) {
      size += chunk.length;
      hash.update(chunk);
      yield chunk;
    }
  };
  const spooled = await spool(watched());
  const layer = { digest: hash.hex(), size };
  return { layer, source: spooled, isInPlace: false };
}
