import { writePipe } from "./fd.ts";
import { host } from "./host.ts";
import { paysThread } from "./threads.ts";
import { WriteThread } from "./write_thread.ts";

/** Bytes that are written at once: a call takes as long as some 100 KiB do. */
const SIZE = 1 << 20;

/**
 * Writes to a pipe or a device: the bytes go out in large pieces, one of which is
 * written while the next one fills. Once standard output has got so many bytes
 * that it pays, another thread writes it.
 */
export class PipeWriter {
  readonly #fd: number;
  /** Whether another thread may write it. */
  readonly #mayShare: boolean;
  #thread: WriteThread | undefined;
  /** Bytes that have come before there was another thread. */
  #size = 0;
  #buffer: Uint8Array | undefined;
  #other: Uint8Array | undefined;
  #used = 0;
  #writing: Promise<void> | undefined;

  constructor(fd: number) {
    this.#fd = fd;
    // With threads, Node does not wait for pipes, and does not end while one of
    // them does.
    this.#mayShare = fd === 1 && !host.isNode;
  }

  /**
   * Takes bytes, which stay the caller's.
   *
   * @returns A promise if that has to wait.
   * @throws What an earlier write met.
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    return this.#thread ? this.#thread.write(bytes) : this.#gather(bytes);
  }

  /** Waits until all is written. */
  async end(): Promise<void> {
    if (this.#thread) return await this.#thread.end();
    await this.#send();
    await this.#writing;
  }

  /** Gives up. */
  stop(): void {
    this.#thread?.stop();
  }

  async #gather(bytes: Uint8Array): Promise<void> {
    this.#size += bytes.length;
    if (this.#mayShare && paysThread(this.#size)) {
      await this.end();
      this.#buffer = this.#other = undefined;
      this.#thread = new WriteThread();
      return await this.#thread.write(bytes);
    }
    for (let at = 0; at < bytes.length;) {
      const buffer = this.#buffer ??= new Uint8Array(SIZE);
      const part = bytes.subarray(at, at + SIZE - this.#used);
      buffer.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
      if (this.#used === SIZE) await this.#send();
    }
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
