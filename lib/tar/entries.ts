import { fromStream, release, wholeBlocks } from "../streams/source.ts";
import { carry, TarCursor } from "./cursor.ts";
import type { Entry } from "./entry.ts";

/** An entry, and where it stands. */
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
  const cursor = new TarCursor();
  let rest: Uint8Array = new Uint8Array(0);
  let offset = 0;
  for await (const chunk of wholeBlocks(fromStream(stream))) {
    const bytes = carry(rest, chunk);
    if (bytes !== chunk) release(chunk);
    cursor.feed(bytes, offset);
    for (let item; (item = cursor.next());) {
      if ("kind" in item) {
        yield { entry: item, bytes, place: offset + item.start };
      }
    }
    const end = cursor.position - offset;
    rest = bytes.slice(end);
    offset += end;
    release(bytes);
  }
  cursor.finish(rest);
}
