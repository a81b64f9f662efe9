import { InputError } from "../errors/input_error.ts";
import { concat } from "../streams/bytes.ts";
import type { PiecedBody } from "./counted_body.ts";

/** Bytes of a chunk: what is sent again after a broken connection. */
export const UPLOAD_CHUNK = 1 << 23;
/** Milliseconds that a chunk may take where it is larger than the smallest. */
const QUICK = 1000;

/** Cuts pieces, as they come, into the bodies of requests. */
export class UploadBodies {
  readonly #pieces: AsyncGenerator<Uint8Array>;
  /** What is left of the last piece. */
  #rest = new Uint8Array(0) as Uint8Array;

  constructor(pieces: AsyncGenerator<Uint8Array>) {
    this.#pieces = pieces;
  }

  /**
   * A body of the next bytes, which are read while it is sent: as many as go out
   * in a second, but not too few. Each body costs the registry a turn, and what a
   * broken connection costs stays small.
   *
   * @param most How many at most.
   * @param signal Ends it earlier.
   */
  next(most: number, signal: AbortSignal | undefined): PiecedBody {
    return { pieces: () => this.#while(most, signal) };
  }

  /** The same in memory. */
  async bytes(size: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(size);
    let at = 0;
    for await (const piece of this.#take(size)) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  /**
   * Pieces in memory: whole ones of at least so many bytes, or fewer at the end.
   */
  async list(size: number): Promise<Uint8Array[]> {
    const pieces = [];
    for (let length = 0; length < size;) {
      const { value, done } = await this.#pieces.next();
      if (done) break;
      if (value.length > 0) pieces.push(value);
      length += value.length;
    }
    return pieces;
  }

  /** Ends the pieces. */
  async close(): Promise<void> {
    await this.#pieces.return(undefined);
  }

  async *#while(
    most: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    const end = performance.now() + QUICK;
    let count = 0;
    for await (const piece of this.#take(most)) {
      yield piece;
      count += piece.length;
      const isLong = count >= UPLOAD_CHUNK && performance.now() > end;
      if (isLong || signal?.aborted) return;
    }
  }

  async *#take(size: number): AsyncGenerator<Uint8Array> {
    while (size > 0) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.#pieces.next();
        if (done) {
          throw new InputError("A layer became shorter while it was read");
        }
        this.#rest = value;
      }
      const piece = this.#rest.subarray(0, size);
      this.#rest = this.#rest.subarray(piece.length);
      size -= piece.length;
      if (piece.length > 0) yield piece;
    }
  }
}

/** A body of pieces in memory. */
export function bodyOf(
  pieces: readonly Uint8Array[],
): PiecedBody & { size: number } {
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  async function* all() {
    for (const piece of pieces) yield await Promise.resolve(piece);
  }
  return { size, pieces: all };
}

/** All pieces but the first bytes of them. */
export function bytesAfter(
  pieces: readonly Uint8Array[],
  start: number,
): Uint8Array<ArrayBuffer> {
  return concat(pieces).slice(start);
}
