import { FIELD } from "../tar/block.ts";
import {
  type EntryFacts,
  entryFacts,
  type ReadEntry,
} from "../tar/entry_facts.ts";
import type { Edits, Owner, TimeRule } from "./edits.ts";
import type { HeaderEdit } from "./edited_header.ts";

/** What a file gets besides a path. */
type Attributes = Pick<HeaderEdit, "mode" | "owner" | "seconds">;

/** Decides about modes, owners and times. */
export class AttributeEdits {
  readonly #edits: Edits;
  readonly #needsText: boolean;

  constructor(edits: Edits) {
    this.#edits = edits;
    const { chmod = [] } = edits;
    this.#needsText = chmod.some(({ glob }) => !glob.matchesAll);
  }

  get isActive(): boolean {
    const { chmod, owner, time } = this.#edits;
    return Boolean(chmod?.length || owner || time);
  }

  /** Whether modes depend on paths. */
  get needsText(): boolean {
    return this.#needsText;
  }

  /**
   * What an entry is to get.
   *
   * @param names The paths that its file has, for patterns; `any` if they do not
   * matter, `undefined` if it has no mode.
   */
  of(
    read: ReadEntry,
    names: readonly string[] | "any" | undefined,
  ): Attributes {
    const facts = entryFacts(read);
    if (!facts) return {};
    const { owner, time } = this.#edits;
    const found: Attributes = {};
    if (names && facts.type !== "symlink") {
      const mode = this.#mode(facts, names);
      if (mode !== facts.mode) found.mode = mode;
    }
    if (owner && hasOtherOwner(read, facts, owner)) {
      found.owner = owner;
      owner.tally.entries++;
    }
    if (time && isChanged(time, read, facts)) {
      found.seconds = time.seconds;
      time.tally.entries++;
    }
    return found;
  }

  #mode(facts: EntryFacts, names: readonly string[] | "any"): number {
    const isDirectory = facts.type === "directory";
    let mode = facts.mode;
    for (const { glob, change, tally } of this.#edits.chmod ?? []) {
      // The root is a dot to patterns.
      const matches = names === "any" ||
        names.some((name) => glob.test(name || "."));
      if (!matches) continue;
      tally.met = true;
      const now = change(mode, isDirectory);
      if (now !== mode) tally.entries++;
      mode = now;
    }
    return mode;
  }
}

function hasOtherOwner(
  { bytes, entry, globals }: ReadEntry,
  facts: EntryFacts,
  { uid, gid }: Owner,
): boolean {
  const { header } = entry;
  const isNamed = (key: string) => key === "uname" || key === "gname";
  return facts.uid !== uid || facts.gid !== gid ||
    bytes[header + FIELD.uname[0]] !== 0 ||
    bytes[header + FIELD.gname[0]] !== 0 ||
    entry.records.some(([key]) => isNamed(key)) ||
    [...globals.keys()].some(isNamed);
}

/** Whether a rule gives an entry another time, or a time that has no fraction. */
function isChanged(
  { seconds, clamp }: TimeRule,
  { entry, globals }: ReadEntry,
  { mtime, nanoseconds }: EntryFacts,
): boolean {
  const isLater = mtime > seconds || mtime === seconds && nanoseconds > 0;
  if (clamp || isLater) return isLater;
  const isOther = (key: string) => key === "atime" || key === "ctime";
  return mtime !== seconds || entry.records.some(([key]) => isOther(key)) ||
    [...globals.keys()].some(isOther);
}
