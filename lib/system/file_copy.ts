import type { SinkCopy } from "../streams/sink.ts";
import { allocate, CHUNK, type Making } from "../streams/source.ts";
import { CopyCounts } from "./copy_counts.ts";
import { CopyInput } from "./copy_input.ts";
import { COPY, DEPTH, OFFSET, PLACES, TAKEN, WORD } from "./copy_thread.ts";
import { takeTurn } from "./fd.ts";
import { partsOf } from "./parts.ts";
import { SharedPlaces } from "./shared_places.ts";
import { resultOf, startThread, type Thread } from "./threads.ts";

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

/** A piece of the output. */
interface Part {
  number: number;
  bytes: Uint8Array;
  position: number;
  /** Whether it is known to be in the output. */
  isKept: boolean;
}

/**
 * What two threads copy into a file, with changes. This one lays chunks of the
 * input out, makes parts of them and gives those to whoever looks at them, the
 * other one hashes them; whichever has time reads chunks and writes parts. So
 * each byte is read once, into memory that both share, and what is hashed and what
 * is looked at is what was written. Until the other thread has started, this one
 * works alone.
 */
export class FileCopy implements SinkCopy {
  readonly #making: Making;
  readonly #target: Target;
  readonly #places = new SharedPlaces(PLACES);
  readonly #counts = new CopyCounts();
  readonly #input: CopyInput;
  readonly #offsets = new BigInt64Array(
    new SharedArrayBuffer(8 * OFFSET.size),
  );
  readonly #thread: Thread | undefined;
  readonly #result: Promise<string | undefined>;
  #hasEnded = false;
  /** Whether the other thread has failed after it took over. */
  #isLost = false;
  /** Parts that have not been given yet, in order. */
  readonly #parts: Part[] = [];
  /** How many parts have been made. */
  #made = 0;
  /** Offset in the output after the newest part. */
  #end: number;

  constructor(making: Making, target: Target) {
    const { patchwork } = making;
    this.#making = making;
    this.#input = new CopyInput(patchwork, this.#places, this.#counts);
    this.#target = target;
    const { path, id, start } = target;
    this.#end = start;
    this.#offsets[OFFSET.end] = BigInt(start);
    const thread = startThread(COPY, {
      path,
      id,
      start,
      total: patchwork.size,
      code: patchwork.code,
      listSize: patchwork.listSize,
      size: CHUNK,
      // Of a view Deno lists all numbers.
      memory: this.#places.memory,
      lists: this.#input.lists,
      state: this.#counts.memory,
      offsets: this.#offsets.buffer,
    });
    this.#thread = thread;
    this.#result = resultOf(thread, () => this.#hasEnded = true);
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const making = this.#make();
    let isOver = false;
    try {
      for (;;) {
        const now = this.#counts.load(WORD.there);
        this.#look();
        const [part] = this.#parts;
        if (!isOver && this.#mayMake()) {
          const { done, value } = await making.next();
          isOver = done === true;
          if (isOver) this.#counts.say(WORD.total, this.#made + 1);
          else this.#add(value);
        } else if (!part) break;
        else if (this.#isKept(part)) {
          this.#parts.shift();
          await takeTurn();
          yield part.bytes;
          this.#places.release(part.bytes);
        } else if (!this.#writes() && !this.#input.reads()) {
          await this.#counts.wait(now);
        }
      }
    } finally {
      if (!isOver) await making.return(undefined);
    }
    this.#making.patchwork.check?.();
  }

  async hex(): Promise<string> {
    this.#thread?.ref();
    const hex = await this.#result;
    await this.#thread?.terminate();
    return hex ?? this.#target.otherwise(this.#end);
  }

  cancel(): void {
    this.#counts.say(WORD.stop, 1);
    void this.#thread?.terminate().then(() => this.#hasEnded = true);
  }

  /** Whether the other thread has taken over its part of the work. */
  get #isShared(): boolean {
    return this.#counts.load(WORD.claimed) === TAKEN;
  }

  /** Goes on alone if the other thread has failed. */
  #look(): void {
    if (this.#isLost || !this.#isShared) return;
    if (!this.#hasEnded && !this.#counts.load(WORD.failed)) return;
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
    if (this.#isLost || !this.#isShared || count >= DEPTH) return false;
    return this.#input.isNextThere;
  }

  /** Makes parts. */
  #make(): AsyncGenerator<Uint8Array> {
    return partsOf(this.#making.pieces(this.#chunks()), {
      holds: (bytes) => this.#places.holds(bytes),
      room: () =>
        this.#isLost ? allocate(CHUNK) : this.#places.at(this.#places.take()),
    });
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
    if (this.#counts.claims(WORD.claimed, number)) {
      this.#write(part);
      Atomics.store(this.#offsets, OFFSET.end, BigInt(this.#end));
      this.#counts.say(WORD.copied, number + 1);
      return;
    }
    const at = number % PLACES;
    Atomics.store(this.#offsets, at, BigInt(position));
    this.#counts.store(WORD.offset + at, bytes.byteOffset);
    this.#counts.store(WORD.length + at, bytes.length);
    this.#counts.say(WORD.made, number + 1);
  }

  /** Whether a part is hashed and written. */
  #isKept({ isKept, number }: Part): boolean {
    return isKept ||
      this.#counts.load(WORD.hashed) > number &&
        this.#counts.is(WORD.kept, number);
  }

  /** Writes the next part that is there, if there is one. */
  #writes(): boolean {
    const number = this.#counts.load(WORD.written);
    if (number >= this.#counts.load(WORD.made)) return false;
    if (!this.#counts.claims(WORD.written, number)) return true;
    const part = this.#parts[number - this.#parts[0]!.number]!;
    this.#target.write(part.bytes, part.position);
    this.#counts.done(WORD.kept, number);
    return true;
  }

  #write(part: Part): void {
    this.#target.write(part.bytes, part.position);
    part.isKept = true;
  }

  /** The input's bytes. */
  async *#chunks(): AsyncGenerator<Uint8Array> {
    while (this.#input.asked < this.#input.count) {
      this.#layOut();
      const bytes = await this.#chunk(this.#input.asked++);
      this.#layOut();
      yield bytes;
      this.#places.release(bytes);
    }
  }

  #layOut(): void {
    if (!this.#isLost) this.#input.layOut();
  }

  async #chunk(chunk: number): Promise<Uint8Array> {
    for (;;) {
      const now = this.#counts.load(WORD.there);
      this.#look();
      if (this.#input.has(chunk)) return this.#input.at(chunk);
      if (this.#isLost) return this.#input.alone(chunk);
      if (this.#input.reads() || this.#writes()) continue;
      await this.#counts.wait(now);
    }
  }
}
