import { InputError } from "../errors/input_error.ts";
import type { FileSource } from "../read/image_files.ts";
import { fromStream, release } from "../streams/source.ts";
import { BLOCK, isZeroBlock } from "../tar/block.ts";
import type { Entry } from "../tar/entry.ts";
import type { Globals } from "../tar/pax.ts";
import type { TarGap } from "../tar/items.ts";
import { TarReader, type TarShape } from "../tar/reader.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";

/** An entry, and where it is. */
export interface Found {
  entry: Entry;
  /** The buffer that it was read from; gone when the next one comes. */
  bytes: Uint8Array;
  /** Offset of its first header block, in bytes. */
  place: number;
  /** Offset of its data, in bytes. */
  data: number;
  /** Records of the PAX global headers before it. */
  globals: Globals;
}

/** Takes an entry's data, piece by piece, without padding. */
export type TakeData = (piece: Uint8Array, at: number) => void | Promise<void>;

/** What {@linkcode walkTar} calls. */
export interface Walker {
  /** Takes an entry; the result takes the entry's data. */
  entry(found: Found): TakeData | undefined | Promise<TakeData | undefined>;
  /** Takes all bytes as they are, from the first to the last. */
  raw?(bytes: Uint8Array): void;
}

/** How a walk ended. */
export interface Walked {
  shape: TarShape;
  /** The error that ended the walk, if readers disagree on an entry. */
  fault?: InputError;
  /** Offset of the first byte after the end that is not zero; -1 if none. */
  junkAt: number;
  /** Blocks of zeros at the end. */
  zeros: number;
}

/** Data that nobody takes are passed over from this size on, in bytes. */
const SEEK = 1 << 20;

/**
 * Walks a tar that comes as a stream, entry by entry.
 *
 * @param chunks The tar; read to its end, whatever it holds. Released.
 */
export async function walkTar(
  chunks: AsyncIterable<Uint8Array>,
  walker: Walker,
): Promise<Walked> {
  async function* all() {
    for await (const chunk of wholeBlocks(chunks)) {
      walker.raw?.(chunk);
      yield chunk;
    }
  }
  const buffers = all();
  // Nothing ends it early, since all bytes are needed.
  const open = { next: () => buffers.next() };
  const reader = new TarReader({ [Symbol.asyncIterator]: () => open });
  const walked = await new Walk(reader, walker).run();
  for await (const chunk of buffers) release(chunk);
  return walked;
}

/**
 * Walks a tar that can be read anywhere: large data that nobody takes are not
 * read.
 */
export async function walkTarFile(
  source: FileSource,
  walker: Walker,
): Promise<Walked> {
  const { size } = source;
  async function* buffers() {
    for (let start: number | undefined = 0; start !== undefined;) {
      const stream = source.slice(start, size).stream();
      start = undefined;
      for await (const buffer of wholeBlocks(fromStream(stream))) {
        yield buffer;
        const { offset, left } = reader;
        if (left < SEEK || walk.isTaking || offset + left >= size) continue;
        reader.skip();
        start = reader.offset;
        break;
      }
    }
  }
  const reader: TarReader = new TarReader(buffers());
  const walk: Walk = new Walk(reader, walker);
  return await walk.run();
}

/** A walk over a tar. */
class Walk {
  readonly #reader: TarReader;
  readonly #walker: Walker;
  #taker: TakeData | undefined;
  /** How many of the current entry's data have been taken. */
  #taken = 0;
  #junkAt = -1;
  #zeros = 0;

  constructor(reader: TarReader, walker: Walker) {
    this.#reader = reader;
    this.#walker = walker;
  }

  /** Whether the current entry's data are wanted. */
  get isTaking(): boolean {
    return this.#taker !== undefined;
  }

  async run(): Promise<Walked> {
    let fault: InputError | undefined;
    try {
      for await (const bytes of this.#reader.buffers()) {
        await this.#items(bytes);
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      fault = error;
    }
    return {
      shape: this.#reader.shape,
      ...(fault && { fault }),
      junkAt: this.#junkAt,
      zeros: this.#zeros,
    };
  }

  async #items(bytes: Uint8Array): Promise<void> {
    const reader = this.#reader;
    for (let item; (item = reader.next());) {
      if (item.part === "gap") this.#gap(item, bytes);
      else if (item.part === "header") {
        this.#zeros = 0;
        this.#taken = 0;
        const taker = this.#walker.entry({
          entry: item.entry,
          bytes,
          place: reader.offset + item.start,
          data: reader.offset + item.end,
          globals: reader.globals,
        });
        this.#taker = taker instanceof Promise ? await taker : taker;
      } else if (this.#taker) {
        const { start, dataEnd } = item;
        if (dataEnd === start) continue;
        const piece = bytes.subarray(start, dataEnd);
        const taking = this.#taker(piece, this.#taken);
        if (taking) await taking;
        this.#taken += dataEnd - start;
      }
    }
  }

  #gap({ start, end }: TarGap, bytes: Uint8Array): void {
    const { junk } = this.#reader.shape;
    if (junk > 0) {
      if (this.#junkAt < 0) this.#junkAt = this.#reader.offset + start;
    } else if (isZeroBlock(bytes, start)) this.#zeros += (end - start) / BLOCK;
  }
}
