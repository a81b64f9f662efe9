import { compareBytes, concat, utf8 } from "../streams/bytes.ts";
import { fs, process } from "../system/node.ts";
import { type FileFacts, fileStamp } from "./file_facts.ts";
import { files, fsPath } from "./files.ts";
import type { Directory, Listing } from "./listing.ts";
import { openFlags } from "./piece_reader.ts";
import { changedError } from "./read_errors.ts";

/** Where Linux has the open files of a process (proc(5)). */
const OPEN = "/proc/self/fd/";

/** What a file was, or why that cannot be read. */
interface Early {
  name: Uint8Array;
  facts?: FileFacts;
  target?: Uint8Array;
  error?: unknown;
}

/**
 * A directory that others may replace: all that it holds is read while it is
 * open. At its path, there may be another one meanwhile and the first one again,
 * within one tick of the clock that gives a change its time.
 */
export class OpenListing implements Listing {
  readonly #root: string;
  readonly #files: Early[];
  readonly #list: (root: string, directory: Directory) => Listing;

  /**
   * Reads what is in a directory.
   *
   * @param root The tree's root, as messages call it.
   * @param list Lists a directory of this one.
   * @throws {FileError} If there is another directory now.
   */
  constructor(
    root: string,
    { place, facts }: Directory,
    list: (root: string, directory: Directory) => Listing,
  ) {
    this.#root = root;
    this.#list = list;
    const flags = openFlags(fs) | fs.constants.O_DIRECTORY;
    const fd = fs.openSync(fsPath(place.full), flags);
    try {
      const stamp = fileStamp(fs.fstatSync(fd, { bigint: true }));
      if (stamp !== facts.stamp) throw changedError(place.path, root);
      const here = utf8(`${OPEN}${fd}/`);
      this.#files = files.namesIn(here).sort(compareBytes)
        .map((name) => early(name, concat([here, name])));
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Whether this system names what is in an open directory. */
  static get isPossible(): boolean {
    return process().platform === "linux" && fs.existsSync(OPEN);
  }

  get length(): number {
    return this.#files.length;
  }

  name(index: number): Uint8Array {
    return this.#files[index]!.name;
  }

  facts(index: number): FileFacts {
    const { facts, error } = this.#files[index]!;
    if (!facts) throw error;
    return facts;
  }

  target(index: number): Uint8Array {
    const { target, error } = this.#files[index]!;
    if (!target) throw error;
    return target;
  }

  enter(_index: number, directory: Directory): Listing {
    return this.#list(this.#root, directory);
  }

  check(): void {}
}

function early(name: Uint8Array, full: Uint8Array): Early {
  const file: Early = { name };
  try {
    file.facts = files.facts(full);
    if (file.facts.kind === "symlink") file.target = files.target(full);
  } catch (error) {
    file.error = error;
  }
  return file;
}
