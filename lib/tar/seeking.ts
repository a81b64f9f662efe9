import { fromStream, type Source } from "../streams/source.ts";
import { TarReader } from "./reader.ts";
import { wholeBlocks } from "./whole_blocks.ts";

/** A tar; one whose size is known can be read at any place. */
export interface SeekableTar extends Source {
  readonly size?: number | undefined;
  /** Tells the size that it most likely has, where that is not known. */
  likelySize?(): Promise<number | undefined>;
  /** The tar that it is made of, while nothing of it can be read. */
  readonly before?: SeekableTar | undefined;
}

/** Shorter data are read and passed over: that is quicker than a seek. */
const SEEK = 1 << 19;

/** Bytes that are read at once where only headers count. */
const WINDOW = 1 << 14;

/**
 * The buffers of a tar, without long data that nobody asks for.
 *
 * @param reader Gives the reader of the buffers.
 * @param mayPass Whether the current data may be passed over; always unless
 * given.
 */
export async function* seeking(
  tar: SeekableTar,
  reader: () => TarReader,
  mayPass: () => boolean = () => true,
): AsyncGenerator<Uint8Array> {
  const { size } = tar;
  for (let start: number | undefined = 0; start !== undefined;) {
    const stream = start === 0
      ? tar.stream()
      : tar.slice(start, size!).stream();
    start = undefined;
    for await (const buffer of wholeBlocks(fromStream(stream))) {
      yield buffer;
      const { offset, left } = reader();
      if (size === undefined || left < SEEK || !mayPass()) continue;
      // The reader itself finds data missing at the tar's end.
      if (offset + left >= size) continue;
      reader().skip();
      start = reader().offset;
      break;
    }
  }
}

/**
 * Reads the entries of a tar without most of their data. Its buffers may be in
 * the memory of those before.
 */
export function headerReader(tar: SeekableTar): TarReader {
  const { size, fill } = tar;
  if (size === undefined || !fill) {
    const reader: TarReader = new TarReader(seeking(tar, () => reader));
    return reader;
  }
  const read = (buffer: Uint8Array, at: number) => fill.call(tar, buffer, at);
  const reader: TarReader = new TarReader(
    windows(read, size, () => reader),
    false,
  );
  return reader;
}

/** Short pieces of a tar, in the same memory, without data that are in none. */
async function* windows(
  fill: NonNullable<Source["fill"]>,
  size: number,
  reader: () => TarReader,
): AsyncGenerator<Uint8Array> {
  const window = new Uint8Array(WINDOW);
  for (let at = 0; at < size; at = reader().size) {
    const count = fill(window.subarray(0, size - at), at);
    if (count === 0) return;
    yield window.subarray(0, count);
    const { offset, left } = reader();
    // The reader itself finds data missing at the tar's end.
    if (left > 0 && offset + left < size) reader().skip();
  }
}
