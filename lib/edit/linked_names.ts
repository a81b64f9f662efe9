import { InputError } from "../errors/input_error.ts";
import type { Entry } from "../tar/entry.ts";
import type { EditedTar, Edits, ModeRule } from "./edits.ts";
import { type Fate, Fates, keyOf } from "./fates.ts";

const NONE: readonly string[] = [];
/** The root is a dot to patterns. */
const ROOT = ".";

/** The paths that files have besides their first one, if a rule is for them. */
export class LinkedNames {
  /** The file's path of each hard link. */
  readonly #files = new Map<string, string>();
  /** The texts of the links of each file, for patterns. */
  readonly #names = new Map<string, string[]>();

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.#names.size === 0;
  }

  /**
   * Notes a hard link, and the path that it leads to.
   *
   * @param text The link's path, if a rule is for it.
   */
  add(link: Fate, target: Fate, text: string | undefined): void {
    const key = keyOf(target.given);
    const file = this.#files.get(key) ?? key;
    this.#files.set(keyOf(link.given), file);
    if (link.by || text === undefined) return;
    const names = this.#names.get(file) ?? [];
    names.push(text);
    this.#names.set(file, names);
  }

  /** The other paths of a file; of a hard link those of its file. */
  of(path: Uint8Array): readonly string[] {
    if (this.isEmpty) return NONE;
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

/** Whether a mode is meant for a path. */
export function isForName({ glob }: ModeRule, path: string): boolean {
  return glob.test(path || ROOT);
}

/** Finds the hard links of a tar, entry by entry. */
export class LinkFinder {
  readonly names = new LinkedNames();
  readonly #rules: readonly ModeRule[];
  readonly #links: Fates;
  readonly #targets: Fates;

  constructor(edits: Edits, part: EditedTar) {
    this.#rules = edits.chmod ?? [];
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
      const text = this.#links.text(fate.path);
      const isMeant = this.#rules.some((rule) => isForName(rule, text));
      this.names.add(fate, target, isMeant ? text : undefined);
    } catch (error) {
      // The scan refuses it, in better words.
      if (!(error instanceof InputError)) throw error;
    }
  }
}
