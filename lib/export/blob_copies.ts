import { FileStretches } from "../streams/file_stretches.ts";
import type { Sink, SinkCopy } from "../streams/sink.ts";
import { copyOf, fromStream, release, type Source } from "../streams/source.ts";
import { BLOCK } from "../tar/block.ts";
import type { TarHeader } from "../tar/items.ts";
import type { TarReader } from "../tar/reader.ts";
import { wholeBlocks } from "../tar/whole_blocks.ts";

/**
 * Writes what is taken out of an archive. If the archive is a file, two threads
 * bring its large files to the output: each byte is read once, into memory that
 * both share, where the second one hashes it.
 */
export class BlobCopies {
  readonly #archive: Source & { size: number };
  readonly #sink: Sink;
  readonly #onRead: (bytes: number) => void;
  /** Bytes of the output that have come. */
  #size = 0;
  /** Whether data that the reader has begun with are being copied. */
  #isCopying = false;
  /** The last chunk that is in the output before it is passed on. */
  #written: Uint8Array | undefined;

  /**
   * Copies nothing yet.
   *
   * @param archive What is taken out of; a file, read from its beginning.
   * @param sink Gets the output.
   * @param onRead Gets how many bytes more were read past the archive's reader.
   */
  constructor(
    archive: Source & { size: number },
    sink: Sink,
    onRead: (bytes: number) => void = () => {},
  ) {
    this.#archive = archive;
    this.#sink = sink;
    this.#onRead = onRead;
  }

  /** Writes the output, as far as it is not there. */
  async write(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) {
      const isThere = chunk === this.#written;
      if (!isThere) this.#sink.write(chunk, this.#size);
      this.#size += chunk.length;
      if (!isThere) release(chunk);
      await this.#sink.pause();
    }
    this.#sink.end(this.#size);
  }

  /**
   * The archive's blocks, without data that are copied.
   *
   * @param blocks All of them.
   * @param reader Gives who reads them.
   */
  async *around(
    blocks: AsyncIterable<Uint8Array>,
    reader: () => TarReader,
  ): AsyncGenerator<Uint8Array> {
    let from: AsyncIterable<Uint8Array> | undefined = blocks;
    while (from) {
      const some: AsyncIterable<Uint8Array> = from;
      from = undefined;
      for await (const buffer of some) {
        yield buffer;
        if (!this.#isCopying) continue;
        this.#isCopying = false;
        reader().skip();
        from = this.#from(reader().offset);
        break;
      }
    }
  }

  /** Whether an entry's data can be copied: the reader's buffer ends in them. */
  mayCopy({ entry, end }: TarHeader, { bytes, offset }: TarReader): boolean {
    const archive = this.#archive;
    const { size } = entry;
    return archive.place !== undefined && size % BLOCK === 0 &&
      end + size > bytes.length &&
      // The reader itself finds data missing at the archive's end.
      offset + end + size < archive.size;
  }

  /**
   * Begins to copy an entry's data, if that saves time.
   *
   * @param before How many bytes of the output come before them that have not been
   * passed on yet; that must have been done when chunks are asked for.
   */
  begin(
    { entry, end }: TarHeader,
    { offset }: TarReader,
    before: number,
  ): SinkCopy | undefined {
    const place = this.#archive.place!;
    const start = offset + end;
    const data = new FileStretches(place, [start, start + entry.size]);
    const copy = this.#sink.copy(copyOf(data), this.#size + before);
    if (!copy) return undefined;
    this.#isCopying = true;
    return {
      chunks: () => this.#noted(copy.chunks()),
      hex: () => copy.hex(),
      cancel: () => copy.cancel(),
    };
  }

  /** Notes which chunks need not be written. */
  async *#noted(
    chunks: AsyncGenerator<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.#written = chunk;
      this.#onRead(chunk.length);
      yield chunk;
    }
  }

  /** The archive's blocks from an offset on. */
  async *#from(start: number): AsyncGenerator<Uint8Array> {
    const { size } = this.#archive;
    const stream = this.#archive.slice(start, size).stream();
    for await (const buffer of wholeBlocks(fromStream(stream))) {
      this.#onRead(buffer.length);
      yield buffer;
    }
  }
}
