import { inputChanged } from "../errors/input_changed.ts";
import type { FileSource } from "../read/image_files.ts";
import { readAt } from "../streams/source.ts";
import { BLOCK } from "../tar/block.ts";
import { normalizePath } from "../tar/path.ts";
import type { Entry } from "../tar/entry.ts";
import { readEntry } from "../tar/read_entry.ts";

/** An entry that has been read again. */
export interface Header {
  entry: Entry;
  /** The blocks that it was read from. */
  bytes: Uint8Array;
  /** Its normalized path. */
  path: Uint8Array;
}

/** Reads the header blocks of an entry again. */
export async function headerAt(
  source: FileSource,
  place: number,
): Promise<Header> {
  for (let length = 4 * BLOCK; length <= 1 << 26; length *= 8) {
    const bytes = await readAt(source, place, length);
    const entry = readEntry(bytes, 0, []);
    if (typeof entry === "object" && "kind" in entry) {
      return { bytes, entry, path: normalizePath(entry.path) };
    }
    if (entry !== "more" || bytes.length < length) break;
  }
  throw inputChanged();
}
