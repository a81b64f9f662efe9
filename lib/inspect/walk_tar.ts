import {
  fromStream,
  release,
  type Source,
  wholeBlocks,
} from "../streams/source.ts";
import { carry, TarCursor, type TarShape } from "../tar/cursor.ts";
import type { Entry } from "../tar/entry.ts";
import type { Globals } from "../tar/pax.ts";

/** A tar to walk: bytes whose size is known can be read at any place. */
export type Walkable = Source & { readonly size?: number };

/** An entry that a walk meets. */
export interface Walked {
  entry: Entry;
  /** The buffer that it was read from; valid during the call only. */
  bytes: Uint8Array;
  /** Offset of its first header block in the tar, in bytes. */
  place: number;
  /** Records of PAX global headers in force. */
  globals: Globals;
}

/** Takes an entry's data piece by piece, without padding. */
export interface DataSink {
  onData(bytes: Uint8Array): void;
  /** Is called after the last piece. */
  onEnd?(): void;
}

/** What a walk has found beside entries. */
export interface WalkEnd {
  shape: TarShape;
  /** Size of the tar in bytes. */
  size: number;
  /** Where the last entry ends, with its padding. */
  end: number;
}

/** Data that are shorter are read and passed over: that is quicker than to seek. */
const SEEK = 1 << 19;

/**
 * Reads a tar's entries in order. Data that nobody asks for are not read where
 * the tar can be read at any place.
 *
 * @param tar The tar, uncompressed.
 * @param visit Is called with each entry; gives back a sink if it wants the
 * entry's data.
 * @throws {InputError} If it is no tar, or is cut short.
 */
export async function walkTar(
  tar: Walkable,
  visit: (walked: Walked) => DataSink | undefined | void,
): Promise<WalkEnd> {
  const cursor = new TarCursor();
  const { size } = tar;
  let sink: DataSink | undefined;
  /** Bytes of its data still to come. */
  let awaited = 0;
  let rest: Uint8Array = new Uint8Array(0);
  let offset = 0;
  let end = 0;
  let seek = true;

  const takeItems = (buffer: Uint8Array) => {
    for (;;) {
      const before = cursor.position - offset;
      const item = cursor.next();
      const start = item ? item.start : cursor.position - offset;
      if (sink) {
        const data = Math.min(awaited, start - before);
        if (data > 0) sink.onData(buffer.subarray(before, before + data));
        awaited -= data;
        if (awaited === 0) {
          sink.onEnd?.();
          sink = undefined;
        }
      }
      if (!item) return;
      if (!("kind" in item)) continue;
      end = offset + item.end + Math.ceil(item.stored / 512) * 512;
      sink = visit({
        entry: item,
        bytes: buffer,
        place: offset + item.start,
        globals: cursor.globals,
      }) ?? undefined;
      awaited = item.stored;
    }
  };

  while (seek) {
    seek = false;
    const stream = offset === 0
      ? tar.stream()
      : tar.slice(offset, size!).stream();
    for await (const chunk of wholeBlocks(fromStream(stream))) {
      const buffer = carry(rest, chunk);
      if (buffer !== chunk) release(chunk);
      cursor.feed(buffer, offset);
      takeItems(buffer);
      const reached = cursor.position - offset;
      rest = buffer.slice(reached);
      offset += reached;
      release(buffer);
      const target = offset + cursor.awaited;
      if (sink || size === undefined || cursor.awaited < SEEK) continue;
      // Data that the tar does not hold are missed by the cursor itself.
      if (target >= size) continue;
      cursor.skip(cursor.awaited);
      offset = target;
      seek = true;
      break;
    }
  }
  cursor.finish(rest);
  return { shape: cursor.shape, size: offset + rest.length, end };
}
