import { FileError } from "../errors/file_error.ts";
import { utf8 } from "../streams/bytes.ts";
import type { FileFacts } from "./file_facts.ts";
import { FileList } from "./file_list.ts";
import { findTree } from "./gnu_find.ts";
import type { IgnoreRules, Verdict } from "./dockerignore.ts";
import { checkDots } from "../system/dotted_path.ts";
import { errorCode } from "../system/errors.ts";
import { takeTurn } from "../system/fd.ts";
import { files } from "./files.ts";
import { FoundListing } from "./found_listing.ts";
import { Guard } from "./guarded.ts";
import { type Directory, type Listing, Place } from "./listing.ts";
import { listLive } from "./live_listing.ts";
import {
  changedError,
  outputError,
  ownerNote,
  readError,
  socketNote,
  type Unreadable,
  unreadableError,
} from "./read_errors.ts";

/** How {@linkcode walk} goes through a tree. */
export interface WalkOptions {
  /** Who owns all files; else each file's own owner does. */
  owner?: { uid: number; gid: number };
  /** Whether the root must not be a symlink, whatever takes its place meanwhile. */
  isOwnRoot?: boolean;
  /** What is left out. */
  ignore?: IgnoreRules;
  /** The output: a path, or `null` for standard output. It must not be in the tree. */
  output?: string | null;
  /** Gets each file that is left out, or gets another owner. */
  onChange?: (change: "excluded" | "owned") => void;
}

/** What {@linkcode walk} has found. */
export interface Walk {
  /** The files, a directory before what it holds, names in the order of bytes. */
  list: FileList;
  /** What the user should know of, in sentences. */
  notes: string[];
}

/** A directory that is being read. */
interface Level {
  path: Uint8Array;
  facts: FileFacts;
  /** Whether only this user and root can put another file in a file's place. */
  isGuarded: boolean;
  /** Its slot; -1 while rules leave it out and nothing below it is taken in. */
  slot: number;
  verdict?: Verdict;
  /** Not there if it cannot be read. */
  listing: Listing | undefined;
  /** The one of its files that comes next. */
  next: number;
}

/**
 * Finds all files of a tree, in an order that does not depend on the file
 * system: a directory comes before what it holds, names come in the order of
 * their bytes. Of several paths of one file, the first one is the file and the
 * others become hard links. Sockets are left out, with a note.
 *
 * @param root The tree's root directory.
 * @throws {Error} If files cannot be read (the message names them all, or the
 * first ten), the output is in the tree, or the tree changes meanwhile.
 */
export async function walk(
  root: string,
  options: WalkOptions = {},
): Promise<Walk> {
  const walker = new Walker(root, options);
  try {
    await walker.run();
    return { list: walker.list, notes: walker.notes() };
  } finally {
    walker.release();
  }
}

class Walker {
  readonly list = new FileList();
  readonly #root: string;
  readonly #prefix: Uint8Array;
  readonly #options: WalkOptions;
  readonly #output: string | undefined;
  readonly #levels: Level[] = [];
  /** First slots of files that have more paths than have been found. */
  readonly #linked = new Map<string, { slot: number; left: number }>();
  #guard: Guard | undefined;
  /** Gives back what only the walk needs. */
  release: () => void = () => {};
  readonly #unreadable: Unreadable[] = [];
  readonly #sockets: Uint8Array[] = [];
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(root: string, options: WalkOptions) {
    this.#root = root;
    this.#prefix = utf8(`${root}/`);
    this.#options = options;
    this.#output = options.output === undefined
      ? undefined
      : files.outputIdentity(options.output ?? undefined);
  }

  async run(): Promise<void> {
    const empty = new Uint8Array(0);
    const place = new Place(this.#prefix, empty, empty);
    const facts = this.#tried(place, () => {
      checkDots(this.#root);
      const facts = files.facts(place.full);
      if (!this.#options.isOwnRoot) return facts;
      const { identity } = files.facts(utf8(this.#root));
      if (identity === facts.identity) return facts;
      throw changedError(empty, this.#root);
    });
    if (facts) await this.#enterRoot(place, facts);
    for (let level; (level = this.#levels.at(-1));) {
      const { listing } = level;
      if (listing && level.next < listing.length) {
        this.#visit(level, listing, level.next++);
      } else this.#levels.pop();
      const turn = takeTurn();
      if (turn) await turn;
    }
    if (this.#unreadable.length > 0) {
      throw unreadableError(this.#unreadable, this.#root);
    }
  }

  async #enterRoot(place: Place, facts: FileFacts): Promise<void> {
    this.#guard = Guard.of(this.#root);
    if (!files.hidesFacts) {
      return this.#enter(place, facts, (root) => listLive(this.#root, root));
    }
    const tree = await findTree(this.#root);
    this.release = () => tree.release();
    const { seconds, nanoseconds } = tree.facts(0) ?? facts;
    this.#enter(
      place,
      { ...facts, seconds, nanoseconds },
      () => new FoundListing(tree, this.#root, 0, place),
    );
  }

  #visit(level: Level, listing: Listing, index: number): void {
    const name = listing.name(index);
    const place = new Place(this.#prefix, level.path, name);
    const { ignore } = this.#options;
    const text = ignore ? this.#decoder.decode(place.path) : "";
    const verdict = ignore?.judge(text, level.verdict);
    const facts = verdict?.excluded && !ignore?.mayTakeBelow(text, verdict)
      ? undefined
      : this.#tried(place, () => listing.facts(index, place));
    if (verdict?.excluded && facts?.kind !== "directory") {
      return this.#options.onChange?.("excluded");
    }
    if (!facts) return;
    if (facts.kind === "directory") {
      const enter = (directory: Directory) => listing.enter(index, directory);
      if (!verdict?.excluded) listing.check(index, place);
      this.#enter(place, facts, enter, verdict);
    } else if (facts.kind === "socket") this.#sockets.push(place.path);
    else {
      listing.check(index, place);
      this.#add(place, name, facts, () => listing.target(index, place));
    }
  }

  /** Does something with a file; notes it if that is not allowed. */
  #tried<T>(place: Place, act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      if (error instanceof FileError) throw error;
      const code = errorCode(error);
      if (code === "EACCES" || code === "EPERM") {
        this.#unreadable.push({ path: place.path, error });
        return undefined;
      }
      throw readError(place.path, this.#root, error);
    }
  }

  /** Starts to read a directory. */
  #enter(
    place: Place,
    facts: FileFacts,
    list: (directory: Directory) => Listing,
    verdict?: Verdict,
  ): void {
    if (facts.identity === this.#output) throw outputError(this.#root);
    const above = this.#levels.at(-1);
    const isGuarded = above ? above.isGuarded : this.#guard !== undefined;
    const level: Level = {
      path: place.path,
      facts,
      isGuarded: isGuarded && this.#guard?.keeps(facts) === true,
      slot: -1,
      listing: undefined,
      next: 0,
    };
    if (verdict) level.verdict = verdict;
    this.#levels.push(level);
    if (!verdict?.excluded) this.#take(this.#levels.length - 1);
    level.listing = this.#tried(place, () => list({ place, facts, isGuarded }));
  }

  /** The slot of a directory, which is taken in if it has none yet. */
  #take(depth: number): number {
    const level = this.#levels[depth]!;
    if (level.slot >= 0) return level.slot;
    const parent = depth === 0 ? -1 : this.#take(depth - 1);
    const from = this.#levels[depth - 1]?.path.length ?? 0;
    level.slot = this.list.add({
      ...this.#owned(level.facts),
      kind: "directory",
      parent,
      name: level.path.subarray(from > 0 ? from + 1 : 0),
    });
    return level.slot;
  }

  #owned(facts: FileFacts): FileFacts {
    const { owner, onChange } = this.#options;
    if (!owner) return facts;
    if (owner.uid !== facts.uid || owner.gid !== facts.gid) onChange?.("owned");
    return { ...facts, ...owner };
  }

  #add(
    place: Place,
    name: Uint8Array,
    facts: FileFacts,
    target: () => Uint8Array,
  ): void {
    const { kind, identity } = facts;
    if (identity === this.#output) throw outputError(this.#root);
    const depth = this.#levels.length - 1;
    const parent = this.#take(depth);
    const { isGuarded } = this.#levels[depth]!;
    const file = { ...this.#owned(facts), parent, name, isGuarded };
    const first = facts.links > 1 ? this.#linked.get(identity) : undefined;
    if (first) {
      if (--first.left === 0) this.#linked.delete(identity);
      this.list.add({ ...file, kind: "hardlink", size: 0, link: first.slot });
      return;
    }
    let slot;
    if (kind === "symlink") {
      const link = this.#tried(place, target) ?? new Uint8Array(0);
      slot = this.list.add({ ...file, kind, link });
    } else {
      if (kind === "file") this.#checkReadable(place, facts);
      slot = this.list.add({ ...file, kind: kind as "file" });
    }
    if (facts.links > 1) {
      this.#linked.set(identity, { slot, left: facts.links - 1 });
    }
  }

  /** Tries files that not everybody may read: the error names all that fail. */
  #checkReadable(place: Place, { mode, size }: FileFacts): void {
    if ((mode & 0o444) === 0o444 || size === 0) return;
    this.#tried(place, () => files.tryToRead(place.full));
  }

  notes(): string[] {
    const notes: string[] = [];
    if (this.#sockets.length > 0) notes.push(socketNote(this.#sockets));
    const { uid } = this.list.record(0);
    if (uid !== 0 && !this.#options.owner) {
      notes.push(ownerNote(this.#root, uid));
    }
    return notes;
  }
}
