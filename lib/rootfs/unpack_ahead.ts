import type { Sink, SinkUnpack } from "../streams/sink.ts";
import type { Source } from "../streams/source.ts";
import type { KnownLayer } from "./stack.ts";

/** Layers that are unpacked at the same time: the one that is read, and others. */
const AT_ONCE = 2;

/** Gives the layers' offsets in a sink. */
type PlacesOf = (
  known: readonly KnownLayer[],
) => readonly (number | undefined)[];

/** A layer that another thread unpacks. */
interface Begun {
  source: Source;
  start: number;
  unpack: SinkUnpack;
}

/**
 * Has other threads unpack layers to their places before they are read. Places
 * follow from the sizes that layers most likely have; what turns out to be in a
 * wrong place is unpacked again.
 */
export class UnpackAhead {
  readonly #sink: Sink;
  readonly #placesOf: PlacesOf;
  #begun: Begun[] = [];

  /** @param placesOf Gives the layers' offsets in the sink. */
  constructor(sink: Sink, placesOf: PlacesOf) {
    this.#sink = sink;
    this.#placesOf = placesOf;
  }

  /**
   * Gives the thread that unpacks a layer to its place, if there can be one, and
   * has the next ones begun.
   *
   * @param sources The layer, and those after it.
   * @param known What is known of all layers, the lower ones included.
   */
  async take(
    sources: readonly Source[],
    known: readonly KnownLayer[],
  ): Promise<SinkUnpack | undefined> {
    const first = known.length - sources.length;
    const places = this.#placesOf(known);
    const [source] = sources;
    if (this.#begun.some((one) => !isRight(one, sources, first, places))) {
      await this.stop();
    }
    for (let i = 0; i < Math.min(AT_ONCE, sources.length); i++) {
      this.#begin(sources[i]!, places[first + i], known[first + i]?.size);
      // After a layer of unknown size no other one has a place.
      if (known[first + i]?.size === undefined) break;
    }
    const mine = this.#begun.find((one) => one.source === source);
    this.#begun = this.#begun.filter((one) => one !== mine);
    return mine?.unpack;
  }

  /** Stops all; nothing is written any more after that. */
  async stop(): Promise<void> {
    await Promise.all(this.#begun.splice(0).map(({ unpack }) => unpack.stop()));
  }

  #begin(
    source: Source & { size?: number | undefined },
    start: number | undefined,
    room = Infinity,
  ): void {
    const { packed, size } = source;
    if (
      !packed || size !== undefined || start === undefined ||
      this.#begun.some((one) => one.source === source)
    ) return;
    const beforeMore = () => this.stop();
    const unpack = this.#sink.unpack(packed, { start, room, beforeMore });
    if (unpack) this.#begun.push({ source, start, unpack });
  }
}

/** Whether a layer is where it belongs, as far as that is known. */
function isRight(
  { source, start }: Begun,
  sources: readonly Source[],
  first: number,
  places: readonly (number | undefined)[],
): boolean {
  const i = sources.indexOf(source);
  return i >= 0 && places[first + i] === start;
}
