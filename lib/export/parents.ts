import { InputError } from "../errors/input_error.ts";
import { binary, concat, utf8 } from "../streams/bytes.ts";
import { fileId } from "../system/file_id.ts";
import { fs, isDeno, process } from "../system/node.ts";
import { fsPath } from "../directory/files.ts";

/** How many directories stay open. */
const OPEN = 32;

const SLASH = utf8("/");

/**
 * The directories of a tree that is being made, each known by its device and
 * inode: nothing is made in a directory that somebody else puts in its place.
 *
 * Linux lets Node and Bun work below an open directory, by /proc/self/fd, as
 * openat(2) does. Elsewhere, and under Deno, which lets nobody open /proc, the
 * path is checked before and after.
 */
export class Parents {
  readonly #root: Uint8Array;
  /** What each directory is, by its path. */
  readonly #identities = new Map<string, string>();
  /** Open directories; the one used last is the last one. */
  readonly #open = new Map<string, number>();
  readonly #mayPin: boolean;

  /** @param root Path of the tree's root, which is there. */
  constructor(root: Uint8Array) {
    this.#root = root;
    this.#mayPin = canPin();
    this.add(new Uint8Array(0), fsPath(root));
  }

  /**
   * Adds a directory that has just been made.
   *
   * @param path The directory, relative to the root.
   * @param place The path by which it was made, for `node:fs`.
   */
  add(path: Uint8Array, place: string): void {
    const fd = openDirectory(place);
    try {
      const identity = identityOf(fd);
      if (identity !== identityAt(place)) throw changed();
      this.#identities.set(binary(path), identity);
    } finally {
      fs.closeSync(fd);
    }
  }

  /**
   * Does something in a directory.
   *
   * @param path The directory, relative to the root.
   * @param act Gets a path that leads to it and to no other one.
   */
  within<T>(path: Uint8Array, act: (directory: Uint8Array) => T): T {
    if (this.#mayPin) {
      return act(utf8(`/proc/self/fd/${this.#pinned(path)}`));
    }
    fs.closeSync(this.open(path));
    const result = act(this.#full(path));
    fs.closeSync(this.open(path));
    return result;
  }

  /** Opens a directory of the tree, which the caller closes. */
  open(path: Uint8Array): number {
    const fd = openDirectory(fsPath(this.#full(path)));
    if (identityOf(fd) === this.#identities.get(binary(path))) return fd;
    fs.closeSync(fd);
    throw changed();
  }

  /** Closes all directories. */
  close(): void {
    for (const fd of this.#open.values()) fs.closeSync(fd);
    this.#open.clear();
  }

  #pinned(path: Uint8Array): number {
    const key = binary(path);
    const fd = this.#open.get(key) ?? this.open(path);
    this.#open.delete(key);
    this.#open.set(key, fd);
    if (this.#open.size > OPEN) {
      const [[oldest, unused]] = this.#open as unknown as [[string, number]];
      fs.closeSync(unused);
      this.#open.delete(oldest);
    }
    return fd;
  }

  #full(path: Uint8Array): Uint8Array {
    return path.length === 0 ? this.#root : concat([this.#root, SLASH, path]);
  }
}

/**
 * Opens what should be a directory. Deno follows a symlink even so, unless it may
 * do all: it opens the path to which the one that it gets leads.
 */
function openDirectory(path: string): number {
  const { O_RDONLY, O_DIRECTORY = 0, O_NOFOLLOW = 0 } = fs.constants;
  return fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

function identityOf(fd: number): string {
  return fileId(fs.fstatSync(fd, { bigint: true }));
}

/** What is at a path itself: a symlink is not followed. */
function identityAt(path: string): string {
  return fileId(fs.lstatSync(path, { bigint: true }));
}

function changed(): InputError {
  return new InputError("another program changes the directory");
}

/** Whether paths may lead through open directories here. */
function canPin(): boolean {
  if (isDeno || process().platform !== "linux") return false;
  const fd = openDirectory("/");
  try {
    const there = fs.statSync(`/proc/self/fd/${fd}/`, { bigint: true });
    return fileId(there) === identityOf(fd);
  } catch {
    // There is no /proc, or not this process's.
    return false;
  } finally {
    fs.closeSync(fd);
  }
}
