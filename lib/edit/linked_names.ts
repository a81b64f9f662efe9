import { InputError } from "../errors/input_error.ts";
import type { Entry } from "../tar/entry.ts";
import type { EditedTar, Edits } from "./edits.ts";
import { type Fate, Fates, keyOf } from "./fates.ts";

const NONE: readonly string[] = [];

/** The paths that files have besides their first one. */
export class LinkedNames {
  /** The file's path of each hard link. */
  readonly #files = new Map<string, string>();
  /** The texts of the links of each file, for patterns. */
  readonly #names = new Map<string, string[]>();

  /** Notes a hard link, and the path that it leads to. */
  add(link: Fate, target: Fate, text: string): void {
    const key = keyOf(target.given);
    const file = this.#files.get(key) ?? key;
    this.#files.set(keyOf(link.given), file);
    if (link.by) return;
    const names = this.#names.get(file) ?? [];
    names.push(text);
    this.#names.set(file, names);
  }

  /** The other paths of a file; of a hard link those of its file. */
  of(path: Uint8Array): readonly string[] {
    if (this.#names.size === 0) return NONE;
    const key = keyOf(path);
    return this.#names.get(this.#files.get(key) ?? key) ?? NONE;
  }
}

/**
 * Whether a mode may be meant for a file by the path of a hard link, which comes
 * after the file.
 */
export function needsNames({ chmod = [] }: Edits): boolean {
  return chmod.some(({ glob }) => !glob.matchesAll);
}

/** Finds the hard links of a tar, entry by entry. */
export class LinkFinder {
  readonly names = new LinkedNames();
  readonly #links: Fates;
  readonly #targets: Fates;

  constructor(edits: Edits, part: EditedTar) {
    this.#links = new Fates(edits, part);
    this.#targets = new Fates(edits, part);
  }

  /** Takes the next entry. */
  take({ kind, path, link }: Entry): void {
    if (kind !== "hardlink") return;
    try {
      const fate = this.#links.of(path);
      const target = this.#targets.of(link);
      if (!fate || !target) return;
      this.names.add(fate, target, this.#links.text(fate.path));
    } catch (error) {
      // The scan refuses it, in better words.
      if (!(error instanceof InputError)) throw error;
    }
  }
}
