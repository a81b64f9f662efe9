import { InputError } from "../errors/input_error.ts";
import { ascii, concat, equalBytes, startsWith } from "../streams/bytes.ts";
import { NODE, PathIndex } from "./path_index.ts";
import { joinPath } from "../tar/path.ts";

const PREFIX = ascii(".wh.");
const META = ascii(".wh..wh.");
const OPAQUE = ascii(".wh..wh..opq");
/** Means any name in a directory. */
const ANY = Uint8Array.of(0);

/** A deletion that a layer asks for (OCI image-spec, layer.md "Whiteouts"). */
export interface Whiteout {
  /** What goes: a path, or all that lower layers have below it. */
  path: Uint8Array;
  /** Whether the directory stays and only what is below it goes. */
  opaque: boolean;
}

/**
 * Reads a whiteout's name.
 *
 * @param path A normalized path.
 * @returns What it deletes, or `undefined` if it is no whiteout.
 * @throws {InputError} If it names no file.
 */
export function whiteoutOf(path: Uint8Array): Whiteout | undefined {
  const cut = path.lastIndexOf(0x2f);
  const directory = path.slice(0, Math.max(cut, 0));
  const name = path.subarray(cut + 1);
  if (!startsWith(name, PREFIX)) return undefined;
  if (equalBytes(name, OPAQUE)) return { path: directory, opaque: true };
  const rest = name.subarray(PREFIX.length);
  if (rest.length < 3 && rest.every((byte) => byte === 0x2e)) {
    throw new InputError("It is a whiteout that names no file; remove it");
  }
  return { path: joinPath(directory, rest).slice(), opaque: false };
}

/**
 * Whether a path is one of aufs's own in the root of a layer, such as
 * `.wh..wh.plnk/1.2` and `.wh..wh.aufs`. Docker and podman skip them; hard
 * links may lead to the first kind.
 */
export function isAufsLeftover(path: Uint8Array): boolean {
  return startsWith(path, META) && !equalBytes(path, OPAQUE);
}

/** Whether a component of a path starts with `.wh.`. */
export function hasWhiteoutName(path: Uint8Array): boolean {
  // In the specification only the last component counts, but some engines hide
  // a directory of that name as well.
  for (let i = 0; i + 3 < path.length; i++) {
    if (
      path[i] === 0x2e && (i === 0 || path[i - 1] === 0x2f) &&
      path[i + 1] === 0x77 && path[i + 2] === 0x68 && path[i + 3] === 0x2e
    ) return true;
  }
  return false;
}

/** The path of the entry that deletes a path of lower layers. */
export function whiteoutMarker(path: Uint8Array): Uint8Array {
  const name = path.lastIndexOf(0x2f) + 1;
  return concat([path.subarray(0, name), PREFIX, path.subarray(name)]);
}

/** The path of the entry that makes a directory opaque. */
export function opaqueMarker(directory: Uint8Array): Uint8Array {
  return joinPath(directory, OPAQUE);
}

/** The deletions of one layer. */
export class Whiteouts {
  readonly #all: { whiteout: Whiteout; slot: number | undefined }[] = [];
  readonly #index = new PathIndex();
  readonly #opaque = new PathIndex();

  /**
   * Adds a deletion.
   *
   * @param slot The whiteout's entry; none if a directory says it
   * of itself.
   */
  add(whiteout: Whiteout, slot?: number): void {
    const { path, opaque } = whiteout;
    this.#all.push({ whiteout, slot });
    if (opaque && slot !== undefined) {
      this.#opaque.add(path, { node: NODE.directory, offset: 0, link: 0 });
    }
    const old = this.#index.find(path);
    if (old >= 0 && this.#index.node(old) === NODE.file) return;
    const node = opaque ? NODE.directory : NODE.file;
    this.#index.add(path, { node, offset: 0, link: 0 });
  }

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  /** Whether a path of a lower layer is deleted. */
  deletes(path: Uint8Array): boolean {
    return !this.isEmpty && this.#index.deletes(path);
  }

  /** Whether all that lower layers have in a directory is deleted. */
  empties(directory: Uint8Array): boolean {
    return !this.isEmpty && this.#index.deletes(joinPath(directory, ANY));
  }

  /** Whether a directory is opaque by an entry of its own. */
  isOpaque(directory: Uint8Array): boolean {
    return this.#opaque.find(directory) >= 0;
  }

  [Symbol.iterator](): Iterator<
    { whiteout: Whiteout; slot: number | undefined }
  > {
    return this.#all[Symbol.iterator]();
  }
}
