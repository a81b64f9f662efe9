import { inputChanged } from "../errors/input_changed.ts";
import { ascii, concat } from "../streams/bytes.ts";
import { BLOCK } from "../tar/block.ts";
import { type NewEntry, newHeader, padding } from "../tar/header.ts";
import type { PaxRecord } from "../tar/pax.ts";
import { paxEntry } from "../tar/rebuild.ts";
import { fileEntry } from "../tar/small_entries.ts";

/** A stretch of the archive that is streamed. */
export interface Stretch {
  size: number;
  /** Its bytes; each call makes them anew. */
  chunks: () => AsyncGenerator<Uint8Array>;
}

/** A piece of the archive: bytes at hand, or a stretch that is streamed. */
type Part = Uint8Array | Stretch;

/** The archive in the making: parts in order, their sizes added up. */
export class Archive {
  /** Size in bytes of all parts. */
  size = 0;
  readonly mtime: number;
  readonly #parts: Part[] = [];

  /** @param mtime Time of the entries that it makes, in seconds since 1970. */
  constructor(mtime: number) {
    this.mtime = Math.floor(mtime);
  }

  add(part: Part): void {
    this.size += "chunks" in part ? part.size : part.length;
    this.#parts.push(part);
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

  file(path: string, text: string): void {
    this.add(fileEntry(path, text, this.mtime));
  }

  /**
   * Adds a file that is streamed, so that its data start on a boundary: a PAX
   * comment, which every reader passes over, fills the room before it.
   *
   * @param boundary A multiple of 512, in bytes.
   * @returns Where the data start, in bytes.
   */
  stretch(path: string, stretch: Stretch, boundary: number): number {
    this.add(filler(this.size + BLOCK, boundary));
    this.entry({ path, type: "file", size: stretch.size });
    const start = this.size;
    this.add(stretch);
    this.add(padding(stretch.size));
    return start;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    let small: Uint8Array[] = [];
    for (const part of this.#parts) {
      if (!("chunks" in part)) {
        small.push(part);
        continue;
      }
      if (small.length > 0) yield concat(small);
      small = [];
      let size = 0;
      for await (const chunk of part.chunks()) {
        size += chunk.length;
        yield chunk;
      }
      if (size !== part.size) throw inputChanged();
    }
    if (small.length > 0) yield concat(small);
  }
}

const COMMENT = "comment";
const REASON = "room, so that the layer starts on a boundary";

/**
 * A PAX header that brings what follows it to a boundary; it belongs to the next
 * entry, and says nothing about it.
 *
 * @param size Where the next entry's data would start, in bytes.
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
