import { FileError } from "../errors/file_error.ts";
import { shown } from "../errors/shown.ts";
import {
  ascii,
  asciiText,
  compareBytes,
  concat,
  isUtf8,
} from "../streams/bytes.ts";
import { joinPath } from "../tar/path.ts";
import type { FileFacts } from "./file_facts.ts";
import { files } from "./files.ts";
import { UNKNOWN_STAMP } from "./found_facts.ts";
import type { FoundTree } from "./found_tree.ts";
import { noFind } from "./gnu_find.ts";

/** Where a file is, for the user and for the runtime. */
export class Place {
  readonly #root: Uint8Array;
  readonly #directory: Uint8Array;
  readonly #name: Uint8Array;

  /**
   * Names a file; few of them need their paths.
   *
   * @param root The root's path with a slash at its end.
   * @param directory The path below the root of the directory that holds it.
   */
  constructor(root: Uint8Array, directory: Uint8Array, name: Uint8Array) {
    this.#root = root;
    this.#directory = directory;
    this.#name = name;
  }

  /** Below the tree's root. */
  get path(): Uint8Array {
    return joinPath(this.#directory, this.#name);
  }

  /** With the root before it. */
  get full(): Uint8Array {
    const { path } = this;
    // The root itself may be a symlink.
    return concat([this.#root, path.length > 0 ? path : DOT]);
  }
}

const DOT = ascii(".");

/** What a directory holds, in the order of the names' bytes. */
export interface Listing {
  readonly length: number;
  name(index: number): Uint8Array;
  /** What a file is. */
  facts(index: number, place: Place): FileFacts;
  /** A symlink's target. */
  target(index: number, place: Place): Uint8Array;
  /** Lists a directory of this one. */
  enter(index: number, place: Place): Listing;
  /** Fails if this runtime cannot read a file because of its name. */
  check(index: number, place: Place): void;
}

/** A directory as the runtime lists it. */
export class LiveListing implements Listing {
  readonly #names: Uint8Array[];

  /** Lists a directory. */
  constructor({ full }: Place) {
    this.#names = files.namesIn(full).sort(compareBytes);
  }

  get length(): number {
    return this.#names.length;
  }

  name(index: number): Uint8Array {
    return this.#names[index]!;
  }

  facts(_index: number, { full }: Place): FileFacts {
    return files.facts(full);
  }

  target(_index: number, { full }: Place): Uint8Array {
    return files.target(full);
  }

  enter(_index: number, place: Place): Listing {
    return new LiveListing(place);
  }

  check(): void {}
}

/** A directory as GNU find has seen it. */
export class FoundListing implements Listing {
  readonly #tree: FoundTree;
  readonly #root: string;
  readonly #nodes: readonly number[];
  /** Names that find has not printed. */
  readonly #others: readonly Uint8Array[];

  /**
   * Lists a directory.
   *
   * @param root The tree's root, as messages call it.
   * @param place Where the directory is.
   */
  constructor(tree: FoundTree, root: string, node: number, place: Place) {
    this.#tree = tree;
    this.#root = root;
    this.#nodes = tree.children(node);
    const twin = tree.twin(this.#nodes);
    if (twin !== undefined) throw this.#twiceError(place, tree.name(twin));
    // No find may leave a file out; where it fails, the runtime says why.
    const isSame = !tree.hasGaps &&
      (tree.count(node) ?? files.countIn(place.full)) === this.#nodes.length;
    this.#others = isSame ? [] : this.#missing(files.namesIn(place.full));
  }

  #twiceError({ path }: Place, name: Uint8Array): FileError {
    return new FileError(
      `find lists ${shown(joinPath(path, name))} in ${this.#root} twice; try ` +
        "again, or give a tar instead",
    );
  }

  #missing(names: Uint8Array[]): Uint8Array[] {
    const found = new Set(
      this.#nodes.map((node) => asciiText(this.#tree.name(node))),
    );
    return names.filter((name) => !found.has(asciiText(name)));
  }

  get length(): number {
    return this.#nodes.length + this.#others.length;
  }

  name(index: number): Uint8Array {
    const node = this.#nodes[index];
    return node === undefined
      ? this.#others[index - this.#nodes.length]!
      : this.#tree.name(node);
  }

  facts(index: number, place: Place): FileFacts {
    const node = this.#nodes[index];
    if (node === undefined) {
      files.facts(place.full);
      throw new FileError(
        `${shown(place.path)} in ${this.#root} appeared while the tree was ` +
          "read, or find leaves it out; try again, or give a tar instead",
      );
    }
    const facts = this.#tree.facts(node);
    if (!facts) throw noFind();
    const { kind, seconds, nanoseconds, stamp } = facts;
    return kind === "character" || kind === "block" || stamp === UNKNOWN_STAMP
      ? { ...files.facts(place.full), seconds, nanoseconds }
      : facts;
  }

  target(index: number): Uint8Array {
    return this.#tree.target(this.#nodes[index]!);
  }

  enter(index: number, place: Place): Listing {
    const node = this.#nodes[index]!;
    return new FoundListing(this.#tree, this.#root, node, place);
  }

  check(index: number, place: Place): void {
    const name = this.name(index);
    if (isUtf8(name)) return;
    throw new FileError(
      `Deno cannot read ${
        shown(place.path)
      } in ${this.#root}: its name is not ` +
        "UTF-8; run ciso under Bun or Node, or give a tar instead",
    );
  }
}
