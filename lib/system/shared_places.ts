import { CHUNK } from "../streams/source.ts";

/** Memory that threads share, in places of a chunk each. */
export class SharedPlaces {
  readonly memory: SharedArrayBuffer;
  readonly #bytes: Uint8Array;
  /** How often each place is used, and those that are not. */
  readonly #uses: Uint8Array;
  readonly #free: number[];

  constructor(count: number) {
    this.memory = new SharedArrayBuffer(count * CHUNK);
    this.#bytes = new Uint8Array(this.memory);
    this.#uses = new Uint8Array(count);
    this.#free = Array.from({ length: count }, (_, place) => place);
  }

  /** A place that nobody uses; there must be one. */
  take(): number {
    return this.#free.pop()!;
  }

  /** The beginning of a place. */
  at(place: number, length = CHUNK): Uint8Array {
    return this.#bytes.subarray(place * CHUNK, place * CHUNK + length);
  }

  /** Whether bytes are in one of the places. */
  holds({ buffer }: Uint8Array): boolean {
    return buffer === this.memory;
  }

  /** Uses the place that bytes are in, if they are in one. */
  use(bytes: Uint8Array): void {
    if (this.holds(bytes)) this.#uses[placeOf(bytes)]!++;
  }

  /** Ends a use, after which the place may be free. */
  release(bytes: Uint8Array): void {
    if (!this.holds(bytes)) return;
    const place = placeOf(bytes);
    if (--this.#uses[place]! === 0) this.#free.push(place);
  }
}

function placeOf({ byteOffset }: Uint8Array): number {
  return Math.floor(byteOffset / CHUNK);
}
