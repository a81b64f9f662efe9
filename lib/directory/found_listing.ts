import { FileError } from "../errors/file_error.ts";
import { shown } from "../errors/shown.ts";
import { asciiText, isUtf8 } from "../streams/bytes.ts";
import { joinPath } from "../tar/path.ts";
import type { FileFacts } from "./file_facts.ts";
import { files } from "./files.ts";
import { UNKNOWN_STAMP } from "./found_facts.ts";
import type { FoundTree } from "./found_tree.ts";
import { noFind } from "./gnu_find.ts";
import type { Directory, Listing, Place } from "./listing.ts";

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

  enter(index: number, { place }: Directory): Listing {
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
