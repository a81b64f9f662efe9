import type { SinkUnpack } from "../streams/sink.ts";
import {
  allocate,
  CHUNK,
  type PackedFile,
  release,
} from "../streams/source.ts";
import { takeTurn } from "./fd.ts";
import type { Target } from "./file_copy.ts";
import {
  keepThread,
  resultOf,
  startThread,
  type Thread,
  waitForThread,
} from "./threads.ts";
import { UNPACK, WORD } from "./unpack_thread.ts";

/** Where a {@linkcode FileUnpack} writes. */
export interface UnpackTarget extends Target {
  /** Bytes that the thread may write there. */
  readonly room: number;
  /** Fills a buffer from an offset in the file on. */
  read(buffer: Uint8Array, position: number): void;
  /** Is called before more than that is written, or written anew. */
  beforeMore(): Promise<void>;
}

/**
 * A gzip file that another thread unpacks into a file that is being written. This
 * thread reads what is there. If the other one fails, whatever the reason, this
 * one unpacks the file from the start, and finds the same error, or none.
 */
export class FileUnpack implements SinkUnpack {
  readonly #packed: PackedFile;
  readonly #target: UnpackTarget;
  readonly #state = new BigInt64Array(new SharedArrayBuffer(8 * WORD.end));
  /** The other thread, as long as it works for this file. */
  #thread: Thread | undefined;
  readonly #result: Promise<string | undefined>;
  /** Bytes that have been given. */
  #given = 0;
  #hasEnded = false;

  constructor(packed: PackedFile, target: UnpackTarget) {
    this.#packed = packed;
    this.#target = target;
    const { place, digest } = packed;
    const { path, id, start, room } = target;
    const thread = startThread(UNPACK, {
      path,
      id,
      start,
      room,
      input: {
        path: place.path,
        id: place.id,
        start: place.start,
        size: place.size,
      },
      digest,
      state: this.#state.buffer,
      size: CHUNK,
    });
    this.#thread = thread;
    this.#result = resultOf(thread, () => this.#hasEnded = true);
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const { start, read } = this.#target;
    for (;;) {
      await takeTurn();
      const there = await this.#there();
      if (there === this.#given) break;
      const bytes = allocate(Math.min(CHUNK, there - this.#given));
      read(bytes, start + this.#given);
      this.#given += bytes.length;
      yield bytes;
    }
    if (await this.#end() !== undefined) this.#packed.place.check();
    else yield* this.#rest();
  }

  async hex(): Promise<string> {
    const hex = await this.#end();
    return hex ?? this.#target.otherwise(this.#target.start + this.#given);
  }

  async stop(): Promise<void> {
    Atomics.store(this.#state, WORD.stop, 1n);
    await this.#end();
  }

  cancel(): void {
    Atomics.store(this.#state, WORD.stop, 1n);
    void this.#thread?.terminate();
    this.#thread = undefined;
  }

  /** What the other thread says in the end. */
  async #end(): Promise<string | undefined> {
    this.#thread?.ref();
    const hex = await this.#result;
    if (this.#thread && !this.#hasEnded) keepThread(this.#thread);
    this.#thread = undefined;
    return hex;
  }

  /** How many bytes are there: more than have been given, or all. */
  async #there(): Promise<number> {
    for (;;) {
      const hasEnded = this.#hasEnded ||
        Atomics.load(this.#state, WORD.ended) > 0n;
      const there = Atomics.load(this.#state, WORD.there);
      if (hasEnded || there >= this.#given + CHUNK) return Number(there);
      await waitForThread(this.#state, WORD.there, there);
    }
  }

  /** What the other thread has not done, written and given here. */
  async *#rest(): AsyncGenerator<Uint8Array> {
    const { start, write, beforeMore } = this.#target;
    await beforeMore();
    let at = 0;
    for await (const bytes of this.#packed.chunks()) {
      const rest = bytes.subarray(Math.max(this.#given - at, 0));
      at += bytes.length;
      if (rest.length === 0) {
        release(bytes);
        continue;
      }
      write(rest, start + this.#given);
      this.#given += rest.length;
      yield rest;
      await takeTurn();
    }
  }
}
