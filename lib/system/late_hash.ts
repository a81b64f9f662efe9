import type { SinkHash } from "../streams/sink.ts";

/** A hash that starts only when all bytes are there. */
export class LateHash implements SinkHash {
  readonly #make: () => SinkHash;
  #end: number;
  #hash: SinkHash | undefined;

  /**
   * Starts nothing yet.
   *
   * @param start Offset of the first byte.
   * @param make Starts the hash.
   */
  constructor(start: number, make: () => SinkHash) {
    this.#end = start;
    this.#make = make;
  }

  advance(end: number): void {
    this.#end = end;
  }

  hex(): Promise<string> {
    this.#hash = this.#make();
    this.#hash.advance(this.#end);
    return this.#hash.hex();
  }

  cancel(): void {
    this.#hash?.cancel();
  }
}
