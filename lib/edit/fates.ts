import { binary, concat, startsWith, utf8 } from "../streams/bytes.ts";
import { joinPath, normalizePath } from "../tar/path.ts";
import type { EditedTar, Edits, Tally } from "./edits.ts";
import { LeftOut } from "./left_out.ts";
import { stripped } from "./strip.ts";

const SLASH = 0x2f;
const DIRECTORY = Uint8Array.of(SLASH);
const NONE: readonly string[] = [];

/** What becomes of a path. */
export interface Fate {
  /** The path in the tree as it was given, normalized. */
  given: Uint8Array;
  /** The path as it is to be written; the one that was given, if it stays. */
  written: Uint8Array;
  /** That path in the tree, normalized. */
  path: Uint8Array;
  /** The edit that leaves it out, if one does. */
  by?: Tally;
  /** Whether only something below it may stay, and it itself with that. */
  held?: boolean;
}

/** Tells of each path whether it stays, and under which name. */
export class Fates {
  readonly #edits: Edits;
  readonly #below: Uint8Array | undefined;
  readonly #above: Uint8Array | undefined;
  readonly #leftOut: LeftOut | undefined;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(edits: Edits, { below, above }: EditedTar) {
    this.#edits = edits;
    this.#above = above;
    this.#below = below === undefined ? undefined : utf8(below);
    if (edits.exclude) this.#leftOut = new LeftOut(edits.exclude.rules);
  }

  /** Whether a path can lose its place at all. */
  get isActive(): boolean {
    const { exclude, strip, remove } = this.#edits;
    return Boolean(exclude || strip || remove?.length || this.#above);
  }

  /**
   * Decides about a path.
   *
   * @param raw The path as a header has it.
   * @param judged The path that rules see, where that is another one: the path
   * that a whiteout deletes.
   * @returns `undefined` if it is not in the tree.
   * @throws {InputError} If it climbs.
   */
  of(raw: Uint8Array, judged?: Uint8Array): Fate | undefined {
    const given = this.treePath(raw);
    if (given === undefined) return undefined;
    const fate: Fate = { given, written: raw, path: given };
    const { exclude, strip } = this.#edits;
    const verdict = this.#leftOut?.judge(judged ?? given) ?? false;
    if (verdict) {
      fate.by = exclude!.tally;
      fate.held = verdict === "below";
    }
    if (strip && (fate.held || !fate.by)) {
      const rest = stripped(this.#below ? given : raw, strip.count);
      if (!rest) return { ...fate, by: strip.tally, held: false };
      fate.written = this.#below ? joinPath(this.#below, rest) : rest;
      fate.path = normalizePath(rest);
    }
    if (!fate.by || fate.held) {
      const removal = this.removal(
        judged && !strip ? judged : fate.path,
      );
      if (removal) return { ...fate, by: removal, held: false };
    }
    if (this.#above) {
      fate.path = joinPath(this.#above, fate.path);
      const isDirectory = raw.at(-1) === SLASH;
      fate.written = isDirectory ? concat([fate.path, DIRECTORY]) : fate.path;
    }
    return fate;
  }

  /** A path in the tree; `undefined` if the header's is not in it. */
  treePath(raw: Uint8Array): Uint8Array | undefined {
    const path = normalizePath(raw);
    const below = this.#below;
    if (!below) return path;
    if (!startsWith(path, below)) return undefined;
    if (path.length === below.length) return path.subarray(below.length);
    return path[below.length] === SLASH
      ? path.subarray(below.length + 1)
      : undefined;
  }

  /** A path for patterns: those of a directory and of a tar see the same. */
  text(path: Uint8Array): string {
    return this.#decoder.decode(path);
  }

  /** The directories above the newest path that are left out, but stay for it. */
  heldAbove(): readonly string[] {
    return this.#leftOut?.excludedAbove() ?? NONE;
  }

  /** The edit that removes a path, if one does. */
  removal(path: Uint8Array): Tally | undefined {
    for (const removal of this.#edits.remove ?? []) {
      if (covers(removal.path, path)) return removal.tally;
    }
    return undefined;
  }
}

/** Whether a path is another one, or below it. */
export function covers(above: Uint8Array, path: Uint8Array): boolean {
  return startsWith(path, above) &&
    (path.length === above.length || path[above.length] === SLASH);
}

/** A path as a key of a map. */
export function keyOf(path: Uint8Array): string {
  return binary(path);
}
