import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { NODE, PathIndex } from "../rootfs/path_index.ts";
import { StoredEntries, type StoredEntry } from "../rootfs/stored_entries.ts";
import { fromStream, type Source } from "../streams/source.ts";
import { BLOCK, padded } from "../tar/block.ts";
import type { Entry } from "../tar/entry.ts";
import type { Globals } from "../tar/pax.ts";
import { type Fate, keyOf } from "./fates.ts";

/** A hard link leads through no more names than this. */
const MAX_HOPS = 64;

/** A file that was left out, and whose data are needed again. */
export interface DroppedFile extends StoredEntry {
  /** Offset of its header blocks in the base, in bytes. */
  place: number;
  /** Its data as they are stored, padding included. */
  data(): AsyncGenerator<Uint8Array>;
}

/**
 * Files that are left out. A hard link that leads to one of them and stays
 * becomes the file itself: it gets the data, which are read again.
 */
export class DroppedFiles {
  readonly #base: Source;
  readonly #index = new PathIndex();
  readonly #stored: StoredEntries;
  /** Where the file of a left out path is now. */
  readonly #heirs = new Map<string, Uint8Array>();

  /** @param base What the files are read from, by their offsets. */
  constructor(base: Source) {
    this.#base = base;
    this.#stored = new StoredEntries(base, this.#index);
  }

  /**
   * Notes an entry that is left out.
   *
   * @param path Its path in the tree.
   * @param place Offset of its header blocks, in bytes.
   */
  add(path: Uint8Array, place: number, globals: Globals): void {
    this.#stored.noteGlobals(globals);
    if (this.#heirs.size > 0) this.#heirs.delete(keyOf(path));
    const offset = place / BLOCK;
    this.#index.add(path, { node: NODE.file, offset, link: 0 });
  }

  /**
   * Reads a left out file again, for a hard link that becomes the file.
   *
   * @param path The path that the link leads to.
   * @param heir The link's own path, as it is written.
   * @param fate Gives the path, as it is written, that a link among the left out
   * ones leads to, or the one in the tree if that is left out as well.
   * @returns The file, or the path, as it is written, where it is.
   * @throws {InputError} If it has not come before.
   */
  async find(
    path: Uint8Array,
    heir: Uint8Array,
    fate: (entry: Entry) => Pick<Fate, "given" | "written" | "by">,
  ): Promise<DroppedFile | Uint8Array> {
    const passed: Uint8Array[] = [];
    for (let at = path; passed.length < MAX_HOPS;) {
      const taken = this.#heirs.get(keyOf(at));
      if (taken) return taken;
      const slot = this.#index.find(at);
      if (slot < 0) break;
      passed.push(at);
      const stored = await this.#stored.read(slot);
      const { entry } = stored;
      if (entry.kind !== "hardlink") {
        const place = this.#index.offset(slot) * BLOCK;
        const start = place + entry.end;
        const end = start + padded(entry.stored);
        const data = () => fromStream(this.#base.slice(start, end).stream());
        for (const one of passed) this.#heirs.set(keyOf(one), heir.slice());
        // The copy that is kept may be read again, and this one changes.
        return { ...stored, bytes: stored.bytes.slice(), place, data };
      }
      const { given, written, by } = fate(entry);
      if (!by) return written;
      at = given.slice();
    }
    throw new InputError(
      `The hard link leads to ${shown(path)}, which is left out and does not ` +
        "come before it: leave out the link as well",
    );
  }
}
