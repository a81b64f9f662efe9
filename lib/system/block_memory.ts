/** Bytes that are compressed at a time. */
export const BLOCK = 1 << 20;

/** How far back gzip looks, in bytes. */
const GZIP_WINDOW = 1 << 15;

/**
 * Memory of blocks and of their ends, to be used again: new memory is zeroed, page
 * by page.
 */
export class BlockMemory {
  readonly #free = new Map<number, ArrayBuffer[]>([
    [BLOCK, []],
    [GZIP_WINDOW, []],
  ]);

  /** Memory for a block, with anything in it. */
  block(): Uint8Array<ArrayBuffer> {
    return this.#take(BLOCK);
  }

  /** A copy of how a whole block ends: what gzip sees of it in the next one. */
  endOf(block: Uint8Array): Uint8Array<ArrayBuffer> {
    const end = this.#take(GZIP_WINDOW);
    end.set(block.subarray(-GZIP_WINDOW));
    return end;
  }

  /** Takes back what is a block's or an end's. */
  give(buffer: ArrayBuffer | undefined): void {
    if (buffer) this.#free.get(buffer.byteLength)?.push(buffer);
  }

  #take(size: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#free.get(size)!.pop() ?? new ArrayBuffer(size));
  }
}
