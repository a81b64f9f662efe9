/** What a request sends, piece by piece. */
export interface PiecedBody {
  /** In bytes, where that is known before. */
  size?: number;
  pieces: () => AsyncGenerator<Uint8Array>;
}

/** What a request sends. */
export type UploadBody = Uint8Array<ArrayBuffer> | PiecedBody;

/** A body that is counted while it goes out. */
export class CountedBody {
  /** Bytes that have gone out. */
  count = 0;
  /** Why they could not be read. */
  failure: unknown;
  readonly #body: UploadBody;
  readonly #onBytes: ((count: number) => void) | undefined;

  /**
   * @param body The body.
   * @param onBytes Gets each count, as an upload's options say.
   */
  constructor(
    body: UploadBody,
    onBytes: ((count: number) => void) | undefined,
  ) {
    this.#body = body;
    this.#onBytes = onBytes;
  }

  /** The pieces. */
  async *all(): AsyncGenerator<Uint8Array> {
    if (this.#body instanceof Uint8Array) return;
    try {
      for await (const piece of this.#body.pieces()) {
        yield piece;
        this.add(piece.length);
      }
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  /** Counts bytes that have gone out. */
  add(count: number): void {
    if (count === 0) return;
    this.count += count;
    this.#onBytes?.(count);
  }

  /** They did not arrive. */
  undo(): void {
    this.add(-this.count);
  }
}
