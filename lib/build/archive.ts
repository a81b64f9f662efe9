import { inputChanged } from "../errors/input_changed.ts";
import { concat } from "../streams/bytes.ts";
import { type NewEntry, newHeader } from "../tar/header.ts";
import { fileEntry } from "../tar/small_entries.ts";

/** A piece of the archive: bytes at hand, or a stretch that is streamed. */
type Part = Uint8Array | {
  size: number;
  chunks: () => AsyncGenerator<Uint8Array>;
};

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
      if (size !== part.size) {
        throw inputChanged();
      }
    }
    if (small.length > 0) yield concat(small);
  }
}
