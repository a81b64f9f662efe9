import { FIELD } from "../tar/block.ts";
import {
  type EntryFacts,
  entryFacts,
  type ReadEntry,
} from "../tar/entry_facts.ts";
import type { Edits, ModeRule, Owner, TimeRule } from "./edits.ts";
import type { HeaderEdit } from "./edited_header.ts";
import { isForName } from "./linked_names.ts";

/** What a file gets besides a path. */
type Attributes = Pick<HeaderEdit, "mode" | "owner" | "seconds">;

/** The paths that a file has, for patterns. */
export interface Names {
  /** Its own, normalized; none if that is left out. */
  own: Uint8Array | undefined;
  /** Those of its hard links. */
  others: readonly string[];
}

const NO_RULES: readonly ModeRule[] = [];
const SLASH = 0x2f;
const DOT = 0x2e;

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
   * Whether a rule may be for a file, as the end of its path shows.
   *
   * @param path As a header has it.
   */
  mayMatch(path: Uint8Array): boolean {
    const last = path.at(-1);
    if (last === undefined || last === SLASH || last === DOT) return true;
    for (const { glob } of this.#edits.chmod ?? NO_RULES) {
      if (glob.mayMatchName(path)) return true;
    }
    return false;
  }

  /**
   * What an entry is to get.
   *
   * @param names `any` if they do not matter, `undefined` if it has no mode.
   */
  of(read: ReadEntry, names: Names | "any" | undefined): Attributes {
    const { owner, time } = this.#edits;
    const { kind } = read.entry;
    const rules = names && kind !== "symlink" && kind !== "label"
      ? this.#rules(names)
      : NO_RULES;
    if (!owner && !time && rules.length === 0) return {};
    const facts = entryFacts(read);
    if (!facts) return {};
    const found: Attributes = {};
    const mode = changedMode(facts, rules);
    if (mode !== facts.mode) found.mode = mode;
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

  /** The rules for modes that are for a file. */
  #rules(names: Names | "any"): readonly ModeRule[] {
    const { chmod = NO_RULES } = this.#edits;
    if (names === "any") return chmod;
    let found = NO_RULES;
    for (const rule of chmod) {
      if (matches(rule, names)) found = [...found, rule];
    }
    return found;
  }
}

function matches(rule: ModeRule, { own, others }: Names): boolean {
  if (own) {
    const { glob } = rule;
    if (own.length === 0 ? isForName(rule, "") : glob.testBytes(own)) {
      return true;
    }
  }
  return others.length > 0 && others.some((name) => isForName(rule, name));
}

function changedMode(
  { mode, type }: EntryFacts,
  rules: readonly ModeRule[],
): number {
  for (const { change, tally } of rules) {
    tally.met = true;
    const now = change(mode, type === "directory");
    if (now !== mode) tally.entries++;
    mode = now;
  }
  return mode;
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
