import type { SinkCopy } from "../streams/sink.ts";
import { allocate, CHUNK, type FilePlace } from "../streams/source.ts";
import { readFile, takeTurn } from "./fd.ts";
import type { SecondThread } from "./second_thread.ts";

/** Where a {@linkcode FileCopy} writes. */
interface Target {
  readonly fd: number;
  write(bytes: Uint8Array, position: number): void;
}

/**
 * A stretch of a file that two threads copy. This one gives the bytes to
 * whoever looks at them, the other one hashes them; the one that is ahead also
 * writes them, and the other one reads the copy. So each byte is read of the
 * input once, and what is hashed and what is looked at is what was written.
 */
export class FileCopy implements SinkCopy {
  readonly #place: FilePlace;
  readonly #start: number;
  readonly #target: Target;
  readonly #thread: SecondThread;

  /** @param start Offset of the copy. */
  constructor(
    place: FilePlace,
    start: number,
    target: Target,
    thread: SecondThread,
  ) {
    this.#place = place;
    this.#start = start;
    this.#target = target;
    this.#thread = thread;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const { size } = this.#place;
    for (let at = 0; at < size;) {
      await takeTurn();
      const chunk = allocate(Math.min(CHUNK, size - at));
      const start = this.#start + at;
      const end = start + chunk.length;
      if (this.#thread.claim(start, end) || !await this.#thread.others(end)) {
        this.#copy(chunk, at);
        this.#thread.written(end);
      } else readFile(this.#target.fd, chunk, start);
      at += chunk.length;
      yield chunk;
    }
    this.#place.check();
  }

  hex(): Promise<string> {
    return this.#thread.hex();
  }

  cancel(): void {
    this.#thread.cancel();
  }

  #copy(chunk: Uint8Array, at: number): void {
    const { start, read, check } = this.#place;
    if (read(chunk, start + at) < chunk.length) check(true);
    this.#target.write(chunk, this.#start + at);
  }
}
