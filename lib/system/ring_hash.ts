import { FileError } from "../errors/file_error.ts";
import { sha256, type SideHash } from "../streams/sha256.ts";
import { Ring, takeRing } from "./ring.ts";
import { paysThread, resultOf, startThread, type Thread } from "./threads.ts";

/** What the thread runs. */
const CODE = `
import("node:crypto").then(({ createHash }) => {
  const hash = createHash("sha256");
  ${takeRing("hash.update(ring.subarray(start, end));")}
  port.postMessage(hash.digest("hex"));
});`;

/**
 * Starts a SHA-256 in another thread, if there is a core for it.
 *
 * @param size How many bytes will come; few are not worth it.
 */
export function hashBeside(size: number): SideHash | undefined {
  // A hash is a part of the work only, and Deno does nothing else while it starts
  // a thread.
  return paysThread(size / 4) ? new RingHash() : undefined;
}

/** A SHA-256 of bytes that go to another thread, by memory that both share. */
export class RingHash implements SideHash {
  readonly #ring = new Ring();
  readonly #thread: Thread | undefined;
  readonly #result: Promise<string | undefined>;
  #hasEnded = false;
  /** Hashes here, if the thread does not start. */
  #own: ReturnType<typeof sha256> | undefined;

  constructor() {
    const thread = startThread(CODE, this.#ring.data);
    this.#thread = thread;
    this.#result = resultOf(thread, () => this.#hasEnded = true);
  }

  update(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#own) return void this.#own.update(bytes);
    const rest = this.#ring.take(bytes);
    return rest.length === 0 ? undefined : this.#wait(rest);
  }

  async hex(): Promise<string> {
    if (!this.#own) {
      const { whole } = this.#ring;
      this.#thread?.ref();
      this.#ring.end();
      const hex = await this.#result;
      await this.#thread?.terminate();
      if (hex !== undefined) return hex;
      this.#goOn(whole);
    }
    return this.#own!.hex();
  }

  async cancel(): Promise<void> {
    this.#ring.stop();
    await this.#thread?.terminate();
  }

  /** Takes the bytes as room for them comes. */
  async #wait(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      const hasRoom = await this.#ring.room(() => this.#hasEnded);
      if (!hasRoom) this.#goOn(this.#ring.whole);
      if (this.#own) return this.#own.update(rest);
      rest = this.#ring.take(rest);
    }
  }

  /**
   * Hashes here, from the first byte on.
   *
   * @param whole All bytes that have come, if they are still there.
   */
  #goOn(whole: Uint8Array | undefined): void {
    if (!whole) {
      throw new FileError(
        "The thread that checks digests has ended, perhaps for lack of memory: " +
          "try again",
      );
    }
    this.#own = sha256();
    this.#own.update(whole);
  }
}
