import { fileChanged } from "../errors/input_changed.ts";
import { FileError } from "../errors/file_error.ts";
import { shown } from "../errors/shown.ts";
import { concat, utf8 } from "../streams/bytes.ts";
import type { FileFacts } from "./file_facts.ts";
import { FileList } from "./file_list.ts";
import { addHiddenFacts } from "./gnu_find.ts";
import type { IgnoreRules, Verdict } from "./dockerignore.ts";
import { errorCode, fileError } from "../system/errors.ts";
import { takeTurn } from "../system/fd.ts";
import { files } from "./files.ts";
import { joinPath } from "../tar/path.ts";

/** How {@linkcode walk} goes through a tree. */
export interface WalkOptions {
  /** Who owns all files; else each file's own owner does. */
  owner?: { uid: number; gid: number };
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
  /** Its slot; -1 while rules leave it out and nothing below it is taken in. */
  slot: number;
  verdict?: Verdict;
  names: Uint8Array[];
  next: number;
}

/** Unreadable files that an error names at most. */
const MAX_NAMED = 10;

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
  await walker.run();
  if (files.hidesFacts) {
    await addHiddenFacts(walker.list, root, (path) => walker.excludes(path));
  }
  return { list: walker.list, notes: walker.notes() };
}

/** Makes the paths of a tree's files for the runtime. */
export function pathsIn(root: string): (path: Uint8Array) => Uint8Array {
  const prefix = utf8(`${root}/`);
  // The root itself may be a symlink.
  return (path) => concat([prefix, path.length > 0 ? path : DOT]);
}

const DOT = utf8(".");

class Walker {
  readonly list = new FileList();
  readonly #root: string;
  readonly #pathIn: (path: Uint8Array) => Uint8Array;
  readonly #options: WalkOptions;
  readonly #output: string | undefined;
  readonly #levels: Level[] = [];
  /** First slots of files that have more paths than have been found. */
  readonly #linked = new Map<string, { slot: number; left: number }>();
  readonly #unreadable: { path: Uint8Array; error: unknown }[] = [];
  readonly #sockets: Uint8Array[] = [];
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(root: string, options: WalkOptions) {
    this.#root = root;
    this.#pathIn = pathsIn(root);
    this.#options = options;
    this.#output = options.output === undefined
      ? undefined
      : files.outputIdentity(options.output ?? undefined);
  }

  /** Whether the rules leave a path out. */
  excludes(path: Uint8Array): boolean {
    const { ignore } = this.#options;
    return path.length > 0 &&
      ignore?.excludes(this.#decoder.decode(path)) === true;
  }

  async run(): Promise<void> {
    const top = new Uint8Array(0);
    const facts = this.#facts(top);
    if (facts) this.#enter(top, facts, undefined);
    for (let level; (level = this.#levels.at(-1));) {
      const name = level.names[level.next++];
      if (name) this.#visit(level, name);
      else this.#levels.pop();
      await takeTurn();
    }
    if (this.#unreadable.length > 0) throw this.#unreadableError();
  }

  #visit(level: Level, name: Uint8Array): void {
    const path = joinPath(level.path, name);
    const { ignore } = this.#options;
    const text = ignore ? this.#decoder.decode(path) : "";
    const verdict = ignore?.judge(text, level.verdict);
    const facts = verdict?.excluded && !ignore?.mayTakeBelow(text, verdict)
      ? undefined
      : this.#facts(path);
    if (verdict?.excluded && facts?.kind !== "directory") {
      return this.#options.onChange?.("excluded");
    }
    if (!facts) return;
    if (facts.kind === "directory") return this.#enter(path, facts, verdict);
    if (facts.kind === "socket") this.#sockets.push(path);
    else this.#add(path, name, facts);
  }

  #facts(path: Uint8Array): FileFacts | undefined {
    return this.#tried(path, (full) => files.facts(full));
  }

  /** Does something with a file; notes it if that is not allowed. */
  #tried<T>(path: Uint8Array, act: (full: Uint8Array) => T): T | undefined {
    try {
      return act(this.#pathIn(path));
    } catch (error) {
      const code = errorCode(error);
      if (code === "EACCES" || code === "EPERM") {
        this.#unreadable.push({ path, error });
        return undefined;
      }
      throw readError(path, this.#root, error);
    }
  }

  /** Starts to read a directory. */
  #enter(
    path: Uint8Array,
    facts: FileFacts,
    verdict: Verdict | undefined,
  ): void {
    if (facts.identity === this.#output) throw this.#outputError();
    const level: Level = { path, facts, slot: -1, names: [], next: 0 };
    if (verdict) level.verdict = verdict;
    this.#levels.push(level);
    if (!verdict?.excluded) this.#take(this.#levels.length - 1);
    level.names = this.#tried(path, (full) => files.namesIn(full)) ?? [];
    level.names.sort(compareBytes);
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
    if (owner && (owner.uid !== facts.uid || owner.gid !== facts.gid)) {
      onChange?.("owned");
    }
    return { ...facts, ...owner };
  }

  #add(path: Uint8Array, name: Uint8Array, facts: FileFacts): void {
    const { kind, identity } = facts;
    if (identity === this.#output) throw this.#outputError();
    const parent = this.#take(this.#levels.length - 1);
    const file = { ...this.#owned(facts), parent, name };
    const first = this.#linked.get(identity);
    if (first) {
      if (--first.left === 0) this.#linked.delete(identity);
      this.list.add({ ...file, kind: "hardlink", size: 0, link: first.slot });
      return;
    }
    let slot;
    if (kind === "symlink") {
      const link = this.#tried(path, (full) => files.target(full));
      // GNU find says what this runtime cannot.
      slot = this.list.add({ ...file, kind, link: link ?? new Uint8Array(0) });
    } else {
      if (kind === "file") this.#checkReadable(path, facts);
      slot = this.list.add({ ...file, kind: kind as "file" });
    }
    if (facts.links > 1) {
      this.#linked.set(identity, { slot, left: facts.links - 1 });
    }
  }

  /** Tries files that not everybody may read: the error names all that fail. */
  #checkReadable(path: Uint8Array, { mode, size }: FileFacts): void {
    if ((mode & 0o444) === 0o444 || size === 0) return;
    this.#tried(path, (full) => files.open(full).close());
  }

  #unreadableError(): FileError {
    const named = this.#unreadable.slice(0, MAX_NAMED)
      .map(({ path }) => shown(path.length > 0 ? path : DOT)).join(", ");
    const more = this.#unreadable.length - MAX_NAMED;
    return new FileError(
      `Cannot read ${named}${more > 0 ? ` and ${more} more` : ""} in ` +
        `${this.#root}: permission denied; run ciso as a user who may, or ` +
        "leave out what the image does not need with --exclude",
      { cause: this.#unreadable[0]!.error },
    );
  }

  #outputError(): FileError {
    return new FileError(
      `The archive cannot go into ${this.#root}, which it is made of; put it ` +
        "somewhere else, or leave out the directory that it goes to with " +
        "--exclude",
    );
  }

  notes(): string[] {
    const notes: string[] = [];
    const [socket] = this.#sockets;
    if (socket) {
      const others = this.#sockets.length - 1;
      notes.push(
        `The socket ${shown(socket)} is left out: no archive can hold one` +
          (others > 0 ? ` (and ${others} more)` : ""),
      );
    }
    const { uid } = this.list.record(0);
    if (uid !== 0 && !this.#options.owner) {
      notes.push(
        `${this.#root} belongs to user ${uid}, and so does the root directory ` +
          "of the image; --owner 0:0 gives all files to root",
      );
    }
    return notes;
  }
}

/** An error of reading a file of a tree, in the user's words. */
export function readError(
  path: Uint8Array,
  root: string,
  cause: unknown,
): FileError {
  const what = path.length > 0 ? `${shown(path)} in ${root}` : root;
  const code = errorCode(cause);
  if (path.length > 0 && (code === "ENOENT" || code === "ENOTDIR")) {
    return new FileError(
      `${what} vanished while the tree was read; try again`,
      {
        cause,
      },
    );
  }
  // A symlink, where the walk has found a file.
  if (code === "ELOOP") return changedError(path, root, cause);
  return fileError(`Cannot read ${what}`, cause);
}

/** A file of a tree is not what it was. */
export function changedError(
  path: Uint8Array,
  root: string,
  cause?: unknown,
): FileError {
  const what = path.length > 0 ? `${shown(path)} in ${root}` : root;
  return fileChanged(what, cause);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}
