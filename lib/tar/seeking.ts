import { fromStream, type Source } from "../streams/source.ts";
import type { TarReader } from "./reader.ts";
import { wholeBlocks } from "./whole_blocks.ts";

/** A tar; one whose size is known can be read at any place. */
export type SeekableTar = Source & { readonly size?: number | undefined };

/** Shorter data are read and passed over: that is quicker than a seek. */
const SEEK = 1 << 19;

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
