import { inputChanged } from "../errors/input_changed.ts";
import { ascii, concat } from "../streams/bytes.ts";
import type { Sink } from "../streams/sink.ts";
import { release } from "../streams/source.ts";
import { BLOCK } from "../tar/block.ts";
import { type NewEntry, newHeader, padding } from "../tar/header.ts";
import type { PaxRecord } from "../tar/pax.ts";
import { paxEntry } from "../tar/rebuild.ts";
import { fileEntry, hardLinkEntry } from "../tar/small_entries.ts";
import type { Stretch } from "./stretch.ts";
import { partsOf } from "./turns.ts";

/** A piece of the archive: bytes at hand, or a stretch that is streamed. */
type Piece = Uint8Array | Stretch;

/** The archive in the making: pieces in order, their sizes added up. */
export class Archive {
  /** Size in bytes of all pieces. */
  size = 0;
  readonly mtime: number;
  /** Offsets of the stretches that were added as files. */
  readonly starts: number[] = [];
  readonly #pieces: Piece[] = [];

  /** @param mtime Time of the entries that it makes, in seconds since 1970. */
  constructor(mtime: number) {
    this.mtime = Math.floor(mtime);
  }

  add(piece: Piece): void {
    this.size += "chunks" in piece ? piece.size ?? 0 : piece.length;
    this.#pieces.push(piece);
  }

  /**
   * Adds a stretch of entries in parts.
   *
   * @param offsets Where it is cut, as {@linkcode partsOf} does.
   * @param between Adds what comes before the part after the cut of this number.
   */
  inTurns(
    stretch: Stretch,
    offsets: readonly number[],
    between: (cut: number) => void,
  ): void {
    for (const [i, part] of partsOf(stretch, offsets).entries()) {
      this.#pieces.push(part);
      if (i < offsets.length) between(i);
    }
    this.size += stretch.size ?? 0;
  }

  entry(entry: NewEntry): void {
    this.add(newHeader({ mtime: this.mtime, ...entry }));
  }

  directory(path: string): void {
    this.entry({ path, type: "directory" });
  }

  symlink(path: string, link: string): void {
    this.entry({ path, type: "symlink", link });
  }

  /** @param link Path of the file, which must come before. */
  hardLink(path: string, link: string): void {
    this.add(hardLinkEntry(path, link, this.mtime));
  }

  file(path: string, text: string): void {
    this.add(fileEntry(path, text, this.mtime));
  }

  /**
   * Adds a file that is streamed, so that its data start on a boundary: a PAX
   * comment, which every reader passes over, fills the room before it.
   *
   * @param boundary A multiple of 512, in bytes.
   */
  stretch(
    path: string,
    stretch: Stretch & { size: number },
    boundary: number,
  ): void {
    this.add(filler(this.size + BLOCK, boundary));
    this.entry({ path, type: "file", size: stretch.size });
    this.starts.push(this.size);
    this.add(stretch);
    this.add(padding(stretch.size));
  }

  /** The archive's bytes. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    let small: Uint8Array[] = [];
    for (const piece of this.#pieces) {
      if (!("chunks" in piece)) {
        small.push(piece);
        continue;
      }
      if (small.length > 0) yield concat(small);
      small = [];
      let size = 0;
      for await (const chunk of piece.chunks()) {
        size += chunk.length;
        yield chunk;
      }
      if (size !== (piece.size ?? size)) throw inputChanged();
    }
    if (small.length > 0) yield concat(small);
  }

  /**
   * Writes the archive into a sink, but for stretches that are in their place
   * already.
   *
   * @param onWritten Gets how many more bytes have been written.
   */
  async writeTo(
    sink: Sink,
    onWritten: (bytes: number) => void = () => {},
  ): Promise<void> {
    if (!this.#isInPlace()) {
      // The bytes to read are where other bytes go.
      sink.renew();
      for (const piece of this.#pieces) {
        if ("chunks" in piece) delete piece.written;
      }
    }
    const write = async (bytes: Uint8Array) => {
      sink.write(bytes, at);
      at += bytes.length;
      onWritten(bytes.length);
      await sink.pause();
    };
    let at = 0;
    let small: Uint8Array[] = [];
    for (const piece of this.#pieces) {
      if (!("chunks" in piece)) {
        small.push(piece);
        continue;
      }
      await write(concat(small));
      small = [];
      const start = at;
      if (piece.written !== undefined && piece.size !== undefined) {
        at += piece.size;
        continue;
      }
      for await (const chunk of piece.chunks()) {
        await write(chunk);
        release(chunk);
      }
      if (at - start !== (piece.size ?? at - start)) throw inputChanged();
      piece.size = at - start;
    }
    await write(concat(small));
    this.size = at;
    sink.end(at);
  }

  /** Whether all that is written of the archive is where it belongs. */
  #isInPlace(): boolean {
    let at = 0;
    for (const piece of this.#pieces) {
      if (!("chunks" in piece)) {
        at += piece.length;
        continue;
      }
      if (piece.written !== undefined && piece.written !== at) return false;
      at += piece.size ?? 0;
    }
    return true;
  }
}

const COMMENT = "comment";
const REASON = "room, so that the layer starts on a boundary";

/**
 * A PAX header that brings what follows it to a boundary; it belongs to the next
 * entry, and says nothing about it.
 *
 * @param size Where the next entry's data start without it, in bytes.
 */
function filler(size: number, boundary: number): Uint8Array {
  let room = (boundary - size % boundary) % boundary;
  if (room === 0) return new Uint8Array(0);
  // The header takes one block, and the record another one at least.
  if (room < 2 * BLOCK) room += boundary;
  const length = room - BLOCK;
  // A record: its length, a blank, keyword, "=", value and newline.
  const rest = `${length} ${COMMENT}=\n`.length;
  const value = ascii(REASON.padEnd(length - rest));
  const record: PaxRecord = [COMMENT, value];
  return concat(paxEntry([record]));
}
