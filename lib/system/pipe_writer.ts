import { writePipe } from "./fd.ts";

/** Bytes that are written at once: a call takes as long as some 100 KiB do. */
const SIZE = 1 << 20;

/**
 * Writes to a pipe or a device: the bytes go out in large pieces, one of which is
 * written while the next one fills.
 */
export class PipeWriter {
  readonly #fd: number;
  #buffer: Uint8Array | undefined;
  #other: Uint8Array | undefined;
  #used = 0;
  #writing: Promise<void> | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Takes bytes, which stay the caller's; throws what an earlier write met. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const buffer = this.#buffer ??= new Uint8Array(SIZE);
      const part = bytes.subarray(at, at + SIZE - this.#used);
      buffer.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
      if (this.#used === SIZE) await this.#send();
    }
  }

  /** Waits until all is written. */
  async end(): Promise<void> {
    await this.#send();
    await this.#writing;
  }

  /** Starts to write what has come. */
  async #send(): Promise<void> {
    await this.#writing;
    if (!this.#buffer || this.#used === 0) return;
    this.#writing = writePipe(this.#fd, this.#buffer.subarray(0, this.#used));
    // The next call throws it.
    this.#writing.catch(() => {});
    [this.#buffer, this.#other] = [this.#other, this.#buffer];
    this.#used = 0;
  }
}
