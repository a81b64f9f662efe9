import { ascii, concat } from "../streams/bytes.ts";
import { joinPath } from "../tar/path.ts";
import type { FileFacts } from "./file_facts.ts";

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

/** A directory that is to be listed. */
export interface Directory {
  place: Place;
  facts: FileFacts;
  /** Whether only this user and root can put another one in its place. */
  isGuarded: boolean;
}

/** What a directory holds, in the order of the names' bytes. */
export interface Listing {
  readonly length: number;
  name(index: number): Uint8Array;
  /** What a file is. */
  facts(index: number, place: Place): FileFacts;
  /** A symlink's target. */
  target(index: number, place: Place): Uint8Array;
  /** Lists a directory of this one. */
  enter(index: number, directory: Directory): Listing;
  /** Fails if this runtime cannot read a file because of its name. */
  check(index: number, place: Place): void;
}
