import { fromStream } from "../streams/source.ts";
import type { Entry } from "./entry.ts";
import { TarReader } from "./reader.ts";
import { headerReader, type SeekableTar } from "./seeking.ts";
import { wholeBlocks } from "./whole_blocks.ts";

/** An entry, and where it is. */
export interface PlacedEntry {
  entry: Entry;
  /** The buffer that the entry was read from; gone when the next one is asked for. */
  bytes: Uint8Array;
  /** Offset of the entry's first header block in the stream, in bytes. */
  place: number;
}

/**
 * Reads a tar's entries, without their data.
 *
 * @param stream The tar; its chunks are released.
 * @throws {InputError} If it is no tar, or cut short.
 */
export async function* entriesOf(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<PlacedEntry> {
  yield* entries(new TarReader(wholeBlocks(fromStream(stream))));
}

/**
 * As {@linkcode entriesOf}, of a tar that need not be read whole: long data are
 * passed over.
 *
 * @param onEnd Gets the size of the tar in bytes.
 */
export async function* entriesIn(
  source: SeekableTar,
  onEnd: (size: number) => void = () => {},
): AsyncGenerator<PlacedEntry> {
  const tar = headerReader(source);
  yield* entries(tar);
  onEnd(tar.size);
}

async function* entries(tar: TarReader): AsyncGenerator<PlacedEntry> {
  for await (const bytes of tar.buffers()) {
    for (let item; (item = tar.next());) {
      if (item.part !== "header") continue;
      yield { entry: item.entry, bytes, place: tar.offset + item.start };
    }
  }
}
