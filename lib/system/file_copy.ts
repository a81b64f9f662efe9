import type { SinkCopy } from "../streams/sink.ts";
import { allocate, CHUNK, type FilePlace } from "../streams/source.ts";
import { COPY, PLACES, TAKEN, WORD } from "./copy_thread.ts";
import { takeTurn } from "./fd.ts";
import {
  resultOf,
  startThread,
  type Thread,
  waitForThread,
} from "./threads.ts";

/** Where a {@linkcode FileCopy} writes. */
export interface Target {
  /** The file that is written; it stays there until the work is done. */
  readonly path: string;
  /** Device and inode of it. */
  readonly id: string;
  /** Offset of the copy. */
  readonly start: number;
  write(bytes: Uint8Array, position: number): void;
  /** Hashes the stretch up to an offset here, should the thread fail. */
  otherwise(end: number): string;
}

/**
 * A stretch of a file that two threads copy. This one gives the bytes to
 * whoever looks at them, the other one hashes them; whichever has time reads and
 * writes them. So each byte is read once, into memory that both share, and what
 * is hashed and what is looked at is what was written. Until the other thread has
 * started, this one copies alone.
 */
export class FileCopy implements SinkCopy {
  readonly #place: FilePlace;
  readonly #target: Target;
  readonly #ring = new Uint8Array(new SharedArrayBuffer(PLACES * CHUNK));
  readonly #state = new Int32Array(new SharedArrayBuffer(4 * WORD.end));
  readonly #thread: Thread | undefined;
  readonly #result: Promise<string | undefined>;
  #hasEnded = false;
  /** Whether chunks come from the memory that both threads share. */
  #isShared = false;

  constructor(place: FilePlace, target: Target) {
    this.#place = place;
    this.#target = target;
    const { path, id, start } = target;
    const thread = startThread(COPY, {
      path,
      id,
      start,
      input: {
        path: place.path,
        id: place.id,
        start: place.start,
        size: place.size,
      },
      // Of a view Deno lists all numbers.
      ring: this.#ring.buffer,
      state: this.#state.buffer,
      size: CHUNK,
    });
    this.#thread = thread;
    this.#result = resultOf(thread, () => this.#hasEnded = true);
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const count = this.#count;
    for (let chunk = 0; chunk < count; chunk++) {
      await takeTurn();
      if (await this.#isReady(chunk)) {
        yield this.#shared(chunk);
        this.#say(WORD.done, chunk + 1);
      } else {
        const bytes = allocate(this.#length(chunk));
        this.#fill(bytes, chunk);
        this.#write(bytes, chunk);
        this.#say(WORD.copied, chunk + 1);
        yield bytes;
      }
    }
    this.#place.check();
  }

  async hex(): Promise<string> {
    this.#thread?.ref();
    const hex = await this.#result;
    await this.#thread?.terminate();
    const { start, otherwise } = this.#target;
    return hex ?? otherwise(start + this.#place.size);
  }

  cancel(): void {
    this.#say(WORD.stop, 1);
    void this.#thread?.terminate().then(() => this.#hasEnded = true);
  }

  get #count(): number {
    return Math.ceil(this.#place.size / CHUNK);
  }

  /** Claims a chunk: of both threads one alone works on it. */
  #claims(word: number, chunk: number, next = chunk + 1): boolean {
    return Atomics.compareExchange(this.#state, word, chunk, next) === chunk;
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
   * Waits until a chunk is hashed and written.
   *
   * @returns Whether that was done with the other thread: else this one copies
   * the chunk, even if the other one has written something of it.
   */
  async #isReady(chunk: number): Promise<boolean> {
    if (!this.#isShared) {
      if (this.#claims(WORD.claimed, chunk)) return false;
      this.#isShared = this.#load(WORD.claimed) === TAKEN;
    }
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

  #is(word: number, chunk: number): boolean {
    return this.#load(word + chunk % PLACES) === chunk + 1;
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

  /** Reads the next chunk, if there is a place for it. */
  #reads(): boolean {
    const chunk = this.#load(WORD.read);
    const ahead = chunk - this.#load(WORD.done);
    if (chunk >= this.#count || ahead >= PLACES) return false;
    if (!this.#claims(WORD.read, chunk)) return true;
    this.#fill(this.#shared(chunk), chunk);
    this.#say(WORD.filled + chunk % PLACES, chunk + 1);
    return true;
  }

  #length(chunk: number): number {
    return Math.min(CHUNK, this.#place.size - chunk * CHUNK);
  }

  /** A chunk's place in the memory that both threads share. */
  #shared(chunk: number): Uint8Array {
    const start = chunk % PLACES * CHUNK;
    return this.#ring.subarray(start, start + this.#length(chunk));
  }

  #fill(bytes: Uint8Array, chunk: number): void {
    const { start, read, check } = this.#place;
    if (read(bytes, start + chunk * CHUNK) < bytes.length) check(true);
  }

  #write(bytes: Uint8Array, chunk: number): void {
    this.#target.write(bytes, this.#target.start + chunk * CHUNK);
  }
}
