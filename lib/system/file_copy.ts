import type { SinkCopy } from "../streams/sink.ts";
import { allocate, CHUNK, type Making } from "../streams/source.ts";
import { COPY, OFFSET, PLACES, WORD } from "./copy_thread.ts";
import { takeTurn } from "./fd.ts";
import { FileStretches } from "./file_stretches.ts";
import { SharedPlaces } from "./shared_places.ts";
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
  /** Is called before bytes up to an offset are written. */
  readonly onMade?: ((end: number) => void) | undefined;
}

/** Parts that are made before the first of them is given. */
const DEPTH = 5;
/** Chunks that are read ahead: there are places for one more and for a new part. */
const AHEAD = PLACES - DEPTH - 2;

/** A piece of the output. */
interface Part {
  number: number;
  bytes: Uint8Array;
  position: number;
  /** Whether it is known to be in the output. */
  isKept: boolean;
}

/**
 * A file that two threads copy, with changes. This one makes parts of the file's
 * bytes and gives them to whoever looks at them, the other one hashes them;
 * whichever has time reads chunks and writes parts. So each byte is read once,
 * into memory that both share, and what is hashed and what is looked at is what
 * was written. Until the other thread has started, this one works alone.
 */
export class FileCopy implements SinkCopy {
  readonly #making: Making;
  readonly #input: FileStretches;
  readonly #target: Target;
  readonly #places = new SharedPlaces(PLACES);
  readonly #state = new Int32Array(new SharedArrayBuffer(4 * WORD.end));
  readonly #offsets = new BigInt64Array(
    new SharedArrayBuffer(8 * OFFSET.size),
  );
  readonly #thread: Thread | undefined;
  readonly #result: Promise<string | undefined>;
  #hasEnded = false;
  /** Whether the other thread has taken over its part of the work. */
  #isShared = false;
  /** Whether it has failed after that. */
  #isLost = false;
  /** Parts that have not been given yet, in order. */
  readonly #parts: Part[] = [];
  /** How many chunks have been asked for, and parts made. */
  #asked = 0;
  #made = 0;
  /** Offset in the output after the newest part. */
  #end: number;

  constructor(making: Making, target: Target) {
    this.#making = making;
    this.#input = new FileStretches(making);
    this.#target = target;
    const { path, id, start } = target;
    this.#end = start;
    this.#offsets[OFFSET.end] = BigInt(start);
    const { place } = making;
    const { starts, sums, size } = this.#input;
    const thread = startThread(COPY, {
      path,
      id,
      start,
      input: { path: place.path, id: place.id, size },
      // Of a view Deno lists all numbers.
      starts: starts.buffer,
      sums: sums.buffer,
      ring: this.#places.memory,
      state: this.#state.buffer,
      offsets: this.#offsets.buffer,
      size: CHUNK,
    });
    this.#thread = thread;
    this.#result = resultOf(thread, () => this.#hasEnded = true);
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const making = this.#make();
    let isOver = false;
    try {
      for (;;) {
        const now = this.#load(WORD.there);
        this.#look();
        const [part] = this.#parts;
        if (!isOver && this.#mayMake()) {
          isOver = (await making.next()).done === true;
          if (isOver) this.#say(WORD.total, this.#made + 1);
        } else if (!part) break;
        else if (this.#isKept(part)) {
          this.#parts.shift();
          await takeTurn();
          yield part.bytes;
          this.#places.release(part.bytes);
        } else if (!this.#writes() && !this.#reads()) {
          await waitForThread(this.#state, WORD.there, now);
        }
      }
    } finally {
      if (!isOver) await making.return(undefined);
    }
    this.#making.place.check();
  }

  async hex(): Promise<string> {
    this.#thread?.ref();
    const hex = await this.#result;
    await this.#thread?.terminate();
    return hex ?? this.#target.otherwise(this.#end);
  }

  cancel(): void {
    this.#say(WORD.stop, 1);
    void this.#thread?.terminate().then(() => this.#hasEnded = true);
  }

  /** Claims a chunk or part: of both threads one alone works on it. */
  #claims(word: number, count: number): boolean {
    const { compareExchange } = Atomics;
    return compareExchange(this.#state, word, count, count + 1) === count;
  }

  #load(word: number): number {
    return Atomics.load(this.#state, word);
  }

  #say(word: number, value: number): void {
    Atomics.store(this.#state, word, value);
    Atomics.add(this.#state, WORD.here, 1);
    Atomics.notify(this.#state, WORD.here);
  }

  /** Whether somebody has done his work on a chunk or part. */
  #is(word: number, count: number): boolean {
    return this.#load(word + count % PLACES) === count + 1;
  }

  /** Goes on alone if the other thread has failed. */
  #look(): void {
    if (!this.#isShared || this.#isLost) return;
    if (!this.#hasEnded && !this.#load(WORD.failed)) return;
    this.#isLost = true;
    for (const part of this.#parts) {
      // It may still write what it has begun, as it was.
      part.bytes = part.bytes.slice();
      this.#write(part);
    }
  }

  #mayMake(): boolean {
    const count = this.#parts.length;
    if (count === 0) return true;
    if (!this.#isShared || this.#isLost || count >= DEPTH) return false;
    return this.#asked >= this.#count || this.#is(WORD.filled, this.#asked);
  }

  /** Makes parts, one each time. */
  async *#make(): AsyncGenerator<void> {
    let room: Uint8Array | undefined;
    let filled = 0;
    for await (const pieces of this.#making.pieces(this.#chunks())) {
      const [first] = pieces;
      if (pieces.length === 1 && this.#isGood(first!)) {
        if (room) {
          this.#add(room.subarray(0, filled));
          yield;
          room = undefined;
          filled = 0;
        }
        this.#add(first!);
        yield;
        continue;
      }
      for (const piece of pieces) {
        for (let at = 0; at < piece.length;) {
          room ??= this.#room();
          const some = piece.subarray(at, at + CHUNK - filled);
          room.set(some, filled);
          filled += some.length;
          at += some.length;
          if (filled < CHUNK) continue;
          this.#add(room);
          yield;
          room = undefined;
          filled = 0;
        }
      }
    }
    if (room) this.#add(room.subarray(0, filled));
    yield;
  }

  /** Whether bytes can be a part where they are. */
  #isGood(bytes: Uint8Array): boolean {
    if (2 * bytes.length < CHUNK) return false;
    return this.#places.holds(bytes);
  }

  /** Memory for a part. */
  #room(): Uint8Array {
    if (this.#isLost) return allocate(CHUNK);
    return this.#places.at(this.#places.take());
  }

  /** Adds the next part. */
  #add(bytes: Uint8Array): void {
    const number = this.#made++;
    const position = this.#end;
    const part = { number, bytes, position, isKept: false };
    this.#end += bytes.length;
    this.#target.onMade?.(this.#end);
    this.#parts.push(part);
    this.#places.use(bytes);
    if (this.#isLost) return this.#write(part);
    if (!this.#isShared && this.#claims(WORD.claimed, number)) {
      this.#write(part);
      Atomics.store(this.#offsets, OFFSET.end, BigInt(this.#end));
      this.#say(WORD.copied, number + 1);
      return;
    }
    this.#isShared = true;
    const at = number % PLACES;
    Atomics.store(this.#offsets, at, BigInt(position));
    Atomics.store(this.#state, WORD.offset + at, bytes.byteOffset);
    Atomics.store(this.#state, WORD.length + at, bytes.length);
    this.#say(WORD.made, number + 1);
  }

  /** Whether a part is hashed and written. */
  #isKept({ isKept, number }: Part): boolean {
    return isKept ||
      this.#load(WORD.hashed) > number && this.#is(WORD.kept, number);
  }

  /** Writes the next part that is there, if there is one. */
  #writes(): boolean {
    const number = this.#load(WORD.written);
    if (number >= this.#load(WORD.made)) return false;
    if (!this.#claims(WORD.written, number)) return true;
    const part = this.#parts[number - this.#parts[0]!.number]!;
    this.#target.write(part.bytes, part.position);
    Atomics.store(this.#state, WORD.kept + number % PLACES, number + 1);
    return true;
  }

  #write(part: Part): void {
    this.#target.write(part.bytes, part.position);
    part.isKept = true;
  }

  get #count(): number {
    return Math.ceil(this.#input.size / CHUNK);
  }

  /** The file's bytes. */
  async *#chunks(): AsyncGenerator<Uint8Array> {
    while (this.#asked < this.#count) {
      this.#grant();
      const bytes = await this.#chunk(this.#asked++);
      this.#grant();
      yield bytes;
      this.#places.release(bytes);
    }
  }

  /** Gives places to the next chunks. */
  #grant(): void {
    const end = Math.min(this.#asked + AHEAD, this.#count);
    for (let chunk = this.#load(WORD.granted); chunk < end; chunk++) {
      if (this.#isLost) return;
      const place = this.#places.take();
      this.#places.use(this.#places.at(place));
      Atomics.store(this.#state, WORD.place + chunk % PLACES, place);
      this.#say(WORD.granted, chunk + 1);
    }
  }

  async #chunk(chunk: number): Promise<Uint8Array> {
    for (;;) {
      const now = this.#load(WORD.there);
      this.#look();
      if (this.#is(WORD.filled, chunk)) return this.#place(chunk);
      if (this.#isLost) {
        const { length } = this.#place(chunk);
        return this.#input.fill(allocate(length), chunk * CHUNK);
      }
      if (this.#reads()) continue;
      if (!this.#writes()) {
        await waitForThread(this.#state, WORD.there, now);
      }
    }
  }

  /** Reads the next chunk, if there is a place for it. */
  #reads(): boolean {
    const chunk = this.#load(WORD.read);
    if (chunk >= this.#load(WORD.granted)) return false;
    if (!this.#claims(WORD.read, chunk)) return true;
    this.#input.fill(this.#place(chunk), chunk * CHUNK);
    Atomics.store(this.#state, WORD.filled + chunk % PLACES, chunk + 1);
    return true;
  }

  /** A chunk's place in the memory that both threads share. */
  #place(chunk: number): Uint8Array {
    const length = Math.min(CHUNK, this.#input.size - chunk * CHUNK);
    const place = this.#load(WORD.place + chunk % PLACES);
    return this.#places.at(place, length);
  }
}
