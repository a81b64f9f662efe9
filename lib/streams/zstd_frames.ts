import { InputError } from "../errors/input_error.ts";

/** What of a frame comes next. */
type Part =
  | "magic"
  | "skippable"
  | "header"
  | "fields"
  | "block"
  | "content"
  | "checksum"
  | "skip";

/** The first frame's magic number. */
const MAGIC = 0xfd2fb528;

/** What {@linkcode ZstdFrames} must know beside the bytes. */
export interface ZstdFramesOptions {
  /** Bytes that a frame's window may have at most. */
  maxWindow: number;
  /** Makes the error for a larger window, of so many bytes. */
  tooLarge: (window: number) => Error;
}

/**
 * Takes a zstd file apart into frames and blocks (RFC 8878, section 3.1) without
 * taking its compression off. Decompressors need that help:
 *
 * - Those of Node and Deno pass over what follows a frame in the same write;
 *   here each piece ends where a block or a frame does, at the latest.
 * - Deno's loses an error that it finds after bytes of the same write; a
 * damaged block gives no bytes.
 * - Bun's and Deno's take a file that is cut short for a whole one.
 * - They allocate what the frame asks for: 2 GiB and more.
 *
 * Skippable frames are left out.
 */
export class ZstdFrames {
  readonly #options: ZstdFramesOptions;
  #part: Part = "magic";
  /** Bytes of the part that have come so far, as a number and how many. */
  #value = 0;
  #held = 0;
  /** How many bytes the part needs. */
  #wanted = 4;
  /** The frame header's flags. */
  #flags = 0;
  /** The frame header's fields after the flags. */
  #fields: number[] = [];
  /** Whether the block is the last one of its frame. */
  #last = false;
  /** Whether a block or a frame has just ended. */
  #isEnd = false;
  #frames = 0;

  /** Makes one for a file. */
  constructor(options: ZstdFramesOptions) {
    this.#options = options;
  }

  /**
   * Takes the next bytes of the file.
   *
   * @returns What a decompressor gets of them, one write each.
   * @throws {InputError} If they are no zstd frame, or need what is not here.
   */
  *pieces(bytes: Uint8Array): Generator<Uint8Array> {
    let start = 0;
    for (let i = 0; i < bytes.length;) {
      const isFree = this.#part === "skip" || this.#part === "content";
      const count = isFree
        ? Math.min(this.#wanted - this.#held, bytes.length - i)
        : 1;
      if (!isFree) this.#take(bytes[i]!);
      i += count;
      this.#held += count;
      if (this.#held < this.#wanted) continue;
      const wasPassed = this.#isPassed;
      this.#isEnd = false;
      this.#next();
      if (wasPassed && !this.#isEnd && this.#isPassed) continue;
      if (wasPassed) yield bytes.subarray(start, i);
      // Only now it is known that a frame follows, not a skippable one.
      else if (this.#isPassed) yield START.slice();
      start = i;
    }
    if (this.#isPassed && start < bytes.length) yield bytes.subarray(start);
  }

  /** Whether a decompressor gets the part: it is in a frame, after the magic. */
  get #isPassed(): boolean {
    return !["magic", "skippable", "skip"].includes(this.#part);
  }

  /** How many frames have ended, without skippable ones. */
  get frames(): number {
    return this.#frames;
  }

  /** @throws {InputError} If the file does not end where a frame does. */
  end(): void {
    if (this.#part !== "magic" || this.#held > 0) {
      throw new InputError(
        "the zstd data are cut short; make or fetch it again",
      );
    }
    if (this.#frames === 0) {
      throw new InputError("the zstd data hold skippable frames alone");
    }
  }

  #take(byte: number): void {
    if (this.#part === "fields") this.#fields.push(byte);
    else if (this.#part !== "checksum") {
      this.#value += byte * 256 ** this.#held;
    }
  }

  #expect(part: Part, wanted: number): void {
    this.#part = part;
    this.#wanted = wanted;
    this.#held = 0;
    this.#value = 0;
    if (wanted === 0) this.#next();
  }

  /** Acts on a part that is there as a whole. */
  #next(): void {
    const value = this.#value;
    switch (this.#part) {
      case "magic":
        if (value === MAGIC) return this.#expect("header", 1);
        if (value >= 0x184d2a50 && value <= 0x184d2a5f) {
          return this.#expect("skippable", 4);
        }
        throw new InputError(
          this.#frames > 0
            ? "something else follows the zstd data"
            : "the zstd data are damaged; make or fetch it again",
        );
      case "skippable":
        return this.#expect("skip", value);
      case "header":
        this.#flags = value;
        this.#fields = [];
        return this.#expect("fields", fieldsLength(value));
      case "fields":
        this.#checkHeader();
        return this.#expect("block", 3);
      case "block":
        return this.#block(value);
      case "content":
        this.#isEnd = true;
        if (!this.#last) return this.#expect("block", 3);
        return this.#expect("checksum", (this.#flags & 4) !== 0 ? 4 : 0);
      case "checksum":
        this.#isEnd = true;
        this.#frames++;
        return this.#expect("magic", 4);
      case "skip":
        return this.#expect("magic", 4);
    }
  }

  #block(value: number): void {
    const type = (value >> 1) & 3;
    const size = value >> 3;
    if (type === 3 || size > MAX_BLOCK) {
      throw new InputError("the zstd data are damaged; make or fetch it again");
    }
    this.#last = (value & 1) === 1;
    this.#expect("content", type === 1 ? 1 : size);
  }

  #checkHeader(): void {
    const { window, dictionary } = frameHeader(this.#flags, this.#fields);
    if (dictionary !== 0) {
      throw new InputError(
        `the zstd data need the dictionary ${dictionary}, which is not in them`,
      );
    }
    if (window > this.#options.maxWindow) throw this.#options.tooLarge(window);
  }
}

/**
 * The first frame of what an encoder makes: Deno 2.9 puts an empty one after it
 * if the end of the frame fills the encoder's memory.
 */
export async function* firstFrame(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const frames = ownFrames();
  for await (const chunk of chunks) {
    // What follows is read to the end, so that the encoder's errors show.
    if (frames.frames > 0) continue;
    for (const piece of frames.pieces(chunk)) {
      yield piece;
      if (frames.frames > 0) break;
    }
  }
}

/** As {@linkcode firstFrame}, where all bytes are there. */
export function cutFirstFrame(bytes: Uint8Array): Uint8Array {
  const frames = ownFrames();
  let length = 0;
  for (const piece of frames.pieces(bytes)) {
    length += piece.length;
    if (frames.frames > 0) break;
  }
  return bytes.subarray(0, length);
}

/** For frames that this program has made itself. */
function ownFrames(): ZstdFrames {
  return new ZstdFrames({
    maxWindow: Infinity,
    tooLarge: () => new InputError("the zstd data are damaged"),
  });
}

/** What every frame starts with. */
const START = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);

/** No block holds more bytes (section 3.1.1.2.4). */
const MAX_BLOCK = 1 << 17;

/** Bytes of a frame header's dictionary ID and content size, by its flags. */
function lengths(flags: number): { dictionary: number; content: number } {
  return {
    dictionary: [0, 1, 2, 4][flags & 3]!,
    content: [isSingleSegment(flags) ? 1 : 0, 2, 4, 8][flags >> 6]!,
  };
}

function isSingleSegment(flags: number): boolean {
  return (flags & 0x20) !== 0;
}

function fieldsLength(flags: number): number {
  const { dictionary, content } = lengths(flags);
  return (isSingleSegment(flags) ? 0 : 1) + dictionary + content;
}

/** The window in bytes and the dictionary ID that a frame needs (3.1.1.1). */
function frameHeader(
  flags: number,
  fields: number[],
): { window: number; dictionary: number } {
  const number = (at: number, length: number) =>
    fields.slice(at, at + length)
      .reduceRight((sum, byte) => sum * 256 + byte, 0);
  const { dictionary, content } = lengths(flags);
  const at = isSingleSegment(flags) ? 0 : 1;
  const id = number(at, dictionary);
  if (at === 0) {
    const size = number(dictionary, content) + (content === 2 ? 256 : 0);
    return { window: size, dictionary: id };
  }
  const base = 2 ** (10 + (fields[0]! >> 3));
  return { window: base + base / 8 * (fields[0]! & 7), dictionary: id };
}
