import type { Patchwork } from "../streams/patchwork.ts";
import type { SinkCopy } from "../streams/sink.ts";
import { allocate, CHUNK } from "../streams/source.ts";
import { PATCHWORK, PLACES, WORD } from "./patchwork_thread.ts";
import { takeTurn } from "./fd.ts";
import type { Target } from "./file_copy.ts";
import {
  resultOf,
  startThread,
  type Thread,
  waitForThread,
} from "./threads.ts";

/**
 * A patchwork that two threads make. This one lays out its chunks and gives them
 * to whoever looks at them, the other one hashes them; whichever has time reads
 * the pieces and writes.
 */
export class PatchworkCopy implements SinkCopy {
  readonly #work: Patchwork;
  readonly #target: Target;
  readonly #ring = new Uint8Array(new SharedArrayBuffer(PLACES * CHUNK));
  readonly #lists: Uint8Array;
  readonly #state = new Int32Array(new SharedArrayBuffer(4 * WORD.end));
  readonly #thread: Thread | undefined;
  readonly #result: Promise<string | undefined>;
  #hasEnded = false;

  constructor(work: Patchwork, target: Target) {
    this.#work = work;
    this.#target = target;
    this.#lists = new Uint8Array(new SharedArrayBuffer(PLACES * work.listSize));
    const { path, id, start } = target;
    const thread = startThread(PATCHWORK, {
      path,
      id,
      start,
      total: work.size,
      code: work.code,
      listSize: work.listSize,
      // Of a view Deno lists all numbers.
      ring: this.#ring.buffer,
      lists: this.#lists.buffer,
      state: this.#state.buffer,
      size: CHUNK,
    });
    this.#thread = thread;
    this.#result = resultOf(thread, () => this.#hasEnded = true);
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const count = this.#count;
    let chunk = 0;
    for (; chunk < count; chunk++) {
      await takeTurn();
      // While this thread looks at a chunk, the other one has work.
      while (this.#laysOut());
      if (!await this.#isReady(chunk)) break;
      yield this.#shared(chunk);
      this.#say(WORD.done, chunk + 1);
    }
    // Without the other thread, in memory that it has not.
    const list = new Uint8Array(this.#work.listSize);
    for (; chunk < count; chunk++) {
      await takeTurn();
      const bytes = allocate(this.#length(chunk));
      this.#work.layOut(bytes, chunk * CHUNK, list);
      this.#work.read(bytes, list);
      this.#write(bytes, chunk);
      yield bytes;
    }
  }

  async hex(): Promise<string> {
    this.#thread?.ref();
    const hex = await this.#result;
    await this.#thread?.terminate();
    const { start, otherwise } = this.#target;
    return hex ?? otherwise(start + this.#work.size);
  }

  cancel(): void {
    this.#say(WORD.stop, 1);
    void this.#thread?.terminate().then(() => this.#hasEnded = true);
  }

  get #count(): number {
    return Math.ceil(this.#work.size / CHUNK);
  }

  /** Claims a chunk: of both threads one alone works on it. */
  #claims(word: number, chunk: number): boolean {
    return Atomics.compareExchange(this.#state, word, chunk, chunk + 1) ===
      chunk;
  }

  #load(word: number): number {
    return Atomics.load(this.#state, word);
  }

  #say(word: number, value: number): void {
    Atomics.store(this.#state, word, value);
    Atomics.add(this.#state, WORD.here, 1);
    Atomics.notify(this.#state, WORD.here);
  }

  /**
   * Waits until a chunk is hashed and written, and helps with that.
   *
   * @returns Whether the other thread could do its part.
   */
  async #isReady(chunk: number): Promise<boolean> {
    for (;;) {
      const now = this.#load(WORD.there);
      if (this.#load(WORD.hashed) > chunk && this.#is(WORD.kept, chunk)) {
        return true;
      }
      if (this.#hasEnded || this.#load(WORD.failed)) return false;
      if (this.#writes() || this.#reads()) continue;
      await waitForThread(this.#state, WORD.there, now);
    }
  }

  /** Whether a chunk is in its place, or in the sink. */
  #is(word: number, chunk: number): boolean {
    return this.#load(word + chunk % PLACES) === chunk + 1;
  }

  /** Lays out the next chunk, if there is a place for it. */
  #laysOut(): boolean {
    const chunk = this.#load(WORD.laidOut);
    if (chunk >= this.#count || chunk - this.#load(WORD.done) >= PLACES) {
      return false;
    }
    this.#work.layOut(
      this.#shared(chunk),
      chunk * CHUNK,
      this.#list(chunk),
    );
    this.#say(WORD.laidOut, chunk + 1);
    return true;
  }

  /** Writes the next chunk that is there, if there is one. */
  #writes(): boolean {
    const chunk = this.#load(WORD.written);
    if (chunk >= this.#count || !this.#is(WORD.filled, chunk)) return false;
    if (!this.#claims(WORD.written, chunk)) return true;
    this.#write(this.#shared(chunk), chunk);
    this.#say(WORD.kept + chunk % PLACES, chunk + 1);
    return true;
  }

  /** Reads the pieces of the next chunk, if one is laid out. */
  #reads(): boolean {
    const chunk = this.#load(WORD.read);
    if (chunk >= this.#load(WORD.laidOut)) return false;
    if (!this.#claims(WORD.read, chunk)) return true;
    this.#work.read(this.#shared(chunk), this.#list(chunk));
    this.#say(WORD.filled + chunk % PLACES, chunk + 1);
    return true;
  }

  #length(chunk: number): number {
    return Math.min(CHUNK, this.#work.size - chunk * CHUNK);
  }

  /** A chunk's place in the memory that both threads share. */
  #shared(chunk: number): Uint8Array {
    const start = chunk % PLACES * CHUNK;
    return this.#ring.subarray(start, start + this.#length(chunk));
  }

  /** The list of its pieces. */
  #list(chunk: number): Uint8Array {
    const { listSize } = this.#work;
    const start = chunk % PLACES * listSize;
    return this.#lists.subarray(start, start + listSize);
  }

  #write(bytes: Uint8Array, chunk: number): void {
    this.#target.write(bytes, this.#target.start + chunk * CHUNK);
  }
}
