import { padded } from "../tar/block.ts";
import type { Entry } from "../tar/entry.ts";
import type { Globals } from "../tar/pax.ts";
import { TarReader, type TarShape } from "../tar/reader.ts";
import { type SeekableTar, seeking } from "../tar/seeking.ts";

/** A tar to walk: bytes whose size is known can be read at any place. */
export type Walkable = SeekableTar;

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
  let sink: DataSink | undefined;
  let end = 0;
  const reader: TarReader = new TarReader(
    seeking(tar, () => reader, () => sink === undefined),
  );
  for await (const bytes of reader.buffers()) {
    const { offset } = reader;
    for (let item; (item = reader.next());) {
      if (item.part === "header") {
        const { entry } = item;
        end = offset + item.end + padded(entry.stored);
        const { globals } = reader;
        const walked = { entry, bytes, place: offset + item.start, globals };
        sink = visit(walked) ?? undefined;
      } else if (item.part === "data" && sink) {
        const { start, dataEnd, done } = item;
        if (dataEnd > start) sink.onData(bytes.subarray(start, dataEnd));
        if (!done) continue;
        sink.onEnd?.();
        sink = undefined;
      }
    }
  }
  return { shape: reader.shape, size: reader.size, end };
}
