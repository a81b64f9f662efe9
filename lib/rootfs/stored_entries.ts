import { inputChanged } from "../errors/input_changed.ts";
import { InputError } from "../errors/input_error.ts";
import type { PathIndex } from "./path_index.ts";
import { readAt, type Source } from "../streams/source.ts";
import { BLOCK } from "../tar/block.ts";
import type { Entry } from "../tar/entry.ts";
import { readEntry } from "../tar/read_entry.ts";
import { type Globals, NO_RECORDS } from "../tar/pax.ts";

/** Changes of PAX global headers taken: each one costs memory. */
const MAX_GLOBALS = 1 << 10;

/** An entry's header blocks, and the global headers that hold for it. */
export interface StoredEntry {
  bytes: Uint8Array;
  entry: Entry;
  globals: Globals;
}

/** The header blocks of a tree's entries, read again from its source by slot. */
export class StoredEntries {
  readonly #source: Source;
  readonly #index: PathIndex;
  /** What PAX global headers say, each with the slot from which on it holds. */
  readonly #globals: { slot: number; records: Globals }[] = [];
  /** The last entry that was read: many links may lead to it. */
  #last: StoredEntry & { slot: number } | undefined;

  /** @param index Knows the offset in the source of each slot's entry. */
  constructor(source: Source, index: PathIndex) {
    this.#source = source;
    this.#index = index;
  }

  /**
   * Notes what PAX global headers say of the entries from the next slot on.
   *
   * @throws {InputError} If that changes too often.
   */
  noteGlobals(records: Globals): void {
    const last = this.#globals.at(-1)?.records ?? NO_RECORDS;
    if (last === records || last.size + records.size === 0) return;
    if (this.#globals.length === MAX_GLOBALS) {
      throw new InputError(
        `PAX global headers change more than ${MAX_GLOBALS} times; archive the ` +
          "tree anew with tar",
      );
    }
    this.#globals.push({ slot: this.#index.length, records });
  }

  /**
   * Reads a slot's header blocks; the entry's offsets are offsets in them.
   *
   * @throws {Error} If the source has none there any more.
   */
  async read(slot: number): Promise<StoredEntry> {
    if (this.#last?.slot === slot) return this.#last;
    const start = this.#index.offset(slot) * BLOCK;
    // Most have one block; a few have long names or PAX headers.
    for (let length = 4 * BLOCK; length <= 1 << 26; length *= 8) {
      const bytes = await readAt(this.#source, start, length);
      const entry = readEntry(bytes, 0, []);
      if (typeof entry === "object" && "kind" in entry) {
        const globals = this.#globals.findLast((from) => from.slot <= slot)
          ?.records ?? NO_RECORDS;
        this.#last = { slot, bytes, entry, globals };
        return this.#last;
      }
      if (entry !== "more" || bytes.length < length) break;
    }
    throw inputChanged();
  }

  /** The data of a slot's entry, without padding. */
  async content(slot: number): Promise<Pick<Source, "stream">> {
    const { entry } = await this.read(slot);
    const start = this.#index.offset(slot) * BLOCK + entry.end;
    return this.#source.slice(start, start + entry.stored);
  }

  /**
   * Reads the first bytes of a slot's file.
   *
   * @param limit How many bytes at the most.
   */
  async readFile(slot: number, limit: number): Promise<Uint8Array> {
    const { entry } = await this.read(slot);
    const start = this.#index.offset(slot) * BLOCK + entry.end;
    const size = Math.min(entry.sparse ? 0 : entry.size, limit);
    return size > 0
      ? await readAt(this.#source, start, size)
      : new Uint8Array(0);
  }
}
