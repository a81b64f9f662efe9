import type { Patchwork } from "../streams/patchwork.ts";
import { allocate, CHUNK } from "../streams/source.ts";
import type { CopyCounts } from "./copy_counts.ts";
import { AHEAD, PLACES, WORD } from "./copy_thread.ts";
import type { SharedPlaces } from "./shared_places.ts";

/** The input of a copy: chunks that either thread reads into shared places. */
export class CopyInput {
  /** How many chunks have been asked for. */
  asked = 0;
  readonly #work: Patchwork;
  readonly #places: SharedPlaces;
  readonly #counts: CopyCounts;
  /** Of each chunk that is laid out and not read, the list of its pieces. */
  readonly #lists: Uint8Array<SharedArrayBuffer>;

  constructor(work: Patchwork, places: SharedPlaces, counts: CopyCounts) {
    this.#work = work;
    this.#places = places;
    this.#counts = counts;
    this.#lists = new Uint8Array(new SharedArrayBuffer(AHEAD * work.listSize));
  }

  /** The memory of all lists. */
  get lists(): SharedArrayBuffer {
    return this.#lists.buffer;
  }

  /** How many chunks there are. */
  get count(): number {
    return Math.ceil(this.#work.size / CHUNK);
  }

  /** Whether nobody has to wait for the next chunk. */
  get isNextThere(): boolean {
    return this.asked >= this.count || this.has(this.asked);
  }

  /** Whether a chunk has been read. */
  has(chunk: number): boolean {
    return this.#counts.is(WORD.filled, chunk);
  }

  /** Gives places to the next chunks, and lays them out there. */
  layOut(): void {
    const end = Math.min(this.asked + AHEAD, this.count);
    for (let chunk = this.#counts.load(WORD.granted); chunk < end; chunk++) {
      const place = this.#places.take();
      this.#places.use(this.#places.at(place));
      this.#counts.store(WORD.place + chunk % PLACES, place);
      this.#work.layOut(this.at(chunk), chunk * CHUNK, this.#list(chunk));
      this.#counts.say(WORD.granted, chunk + 1);
    }
  }

  /** Reads the next chunk, if one is laid out; false if there is none. */
  reads(): boolean {
    const chunk = this.#counts.load(WORD.read);
    if (chunk >= this.#counts.load(WORD.granted)) return false;
    if (!this.#counts.claims(WORD.read, chunk)) return true;
    this.#work.read(this.at(chunk), this.#list(chunk));
    this.#counts.done(WORD.filled, chunk);
    return true;
  }

  /** Reads a chunk into memory that the other thread has not. */
  alone(chunk: number): Uint8Array {
    const bytes = allocate(this.#length(chunk));
    const list = new Uint8Array(this.#work.listSize);
    this.#work.layOut(bytes, chunk * CHUNK, list);
    this.#work.read(bytes, list);
    return bytes;
  }

  /** A chunk's place in the memory that both threads share. */
  at(chunk: number): Uint8Array {
    const place = this.#counts.load(WORD.place + chunk % PLACES);
    return this.#places.at(place, this.#length(chunk));
  }

  #length(chunk: number): number {
    return Math.min(CHUNK, this.#work.size - chunk * CHUNK);
  }

  #list(chunk: number): Uint8Array {
    const { listSize } = this.#work;
    const start = chunk % AHEAD * listSize;
    return this.#lists.subarray(start, start + listSize);
  }
}
