import { allocate, CHUNK } from "../streams/source.ts";

/** The chunks of a stretch of an archive, filled one after the other. */
export class Filling {
  /** Offset in the archive of the next byte. */
  position: number;
  /** How many bytes of the chunk are there. */
  filled = 0;
  readonly #end: number;
  #chunk: Uint8Array | undefined;

  /**
   * Starts with an empty chunk.
   *
   * @param start Offset in the archive of the stretch's first byte.
   * @param end Offset of the first byte after it.
   */
  constructor(start: number, end: number) {
    this.position = start;
    this.#end = end;
  }

  /** The chunk that is being filled. */
  get chunk(): Uint8Array {
    return this.#chunk ??= allocate(Math.min(CHUNK, this.#end - this.position));
  }

  /** How many bytes it has room for. */
  get left(): number {
    return this.chunk.length - this.filled;
  }

  /** Whether it has room for none. */
  get isFull(): boolean {
    return this.filled === this.chunk.length;
  }

  /** Whether the stretch is complete. */
  get isDone(): boolean {
    return this.position >= this.#end;
  }

  /** Room for the next bytes, which the caller fills: less than asked at the end. */
  room(size: number): Uint8Array {
    const room = this.chunk.subarray(
      this.filled,
      this.filled + Math.min(size, this.left),
    );
    this.filled += room.length;
    this.position += room.length;
    return room;
  }

  /** Gives the full chunk, which becomes the caller's. */
  take(): Uint8Array {
    const { chunk } = this;
    this.#chunk = undefined;
    this.filled = 0;
    return chunk;
  }

  /**
   * Adds what the stretch has of some bytes.
   *
   * @param offset Where in the archive they are.
   * @returns Chunks that became full.
   */
  *put(bytes: Uint8Array, offset: number): Generator<Uint8Array> {
    while (this.position < offset + bytes.length && !this.isDone) {
      const rest = bytes.subarray(this.position - offset);
      const room = this.room(rest.length);
      room.set(rest.subarray(0, room.length));
      if (this.isFull) yield this.take();
    }
  }
}
