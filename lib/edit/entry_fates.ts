import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import {
  isAufsLeftover,
  type Whiteout,
  whiteoutOf,
} from "../rootfs/whiteouts.ts";
import type { Entry } from "../tar/entry.ts";
import type { EditedTar, Edits } from "./edits.ts";
import { type Fate, Fates } from "./fates.ts";

const EMPTY = new Uint8Array(0);

/** Tells what becomes of entries, and of the paths that hard links lead to. */
export class EntryFates {
  /** For the paths of entries. */
  readonly paths: Fates;
  /** For those that hard links lead to: it sees them in another order. */
  readonly links: Fates;
  readonly #edits: Edits;
  readonly #tar: EditedTar;
  readonly #needsPaths: boolean;

  /** @param needsPaths Whether paths matter that keep their places. */
  constructor(edits: Edits, tar: EditedTar, needsPaths: boolean) {
    this.paths = new Fates(edits, tar);
    this.links = new Fates(edits, tar);
    this.#edits = edits;
    this.#tar = tar;
    this.#needsPaths = needsPaths;
  }

  /** What an entry deletes, if it is a whiteout of a layer. */
  whiteout({ path }: Entry): Whiteout | undefined {
    if (!this.#tar.isLayer) return undefined;
    try {
      const given = this.paths.treePath(path);
      return given && whiteoutOf(given);
    } catch (error) {
      if (error instanceof InputError) return undefined;
      throw error;
    }
  }

  /** What becomes of an entry; `undefined` if the tree has no such entry. */
  of(entry: Entry, whiteout: Whiteout | undefined): Fate | undefined {
    if (entry.kind === "label") return undefined;
    if (!this.paths.isActive && !this.#needsPaths) {
      return { given: EMPTY, written: entry.path, path: EMPTY };
    }
    let fate;
    try {
      fate = this.paths.of(entry.path, whiteout?.path);
    } catch (error) {
      // The scan refuses it, in better words.
      if (error instanceof InputError) return undefined;
      throw error;
    }
    if (!fate || this.#tar.isLayer && isAufsLeftover(fate.given)) {
      return undefined;
    }
    if (whiteout && fate.by && fate.by === this.#edits.strip?.tally) {
      throw new InputError(
        `Entry ${
          shown(entry.path)
        }: It deletes what --strip-components leaves ` +
          "out or makes the root; strip fewer components",
      );
    }
    return fate;
  }

  /** What becomes of the path that a hard link leads to. */
  target({ kind, link }: Entry): Fate | undefined {
    if (kind !== "hardlink") return undefined;
    if (!this.paths.isActive && !this.#needsPaths) return undefined;
    try {
      return this.links.of(link);
    } catch (error) {
      if (error instanceof InputError) return undefined;
      throw error;
    }
  }
}
