import { ascii } from "../streams/bytes.ts";
import type { Entry } from "../tar/entry.ts";
import { newHeader } from "../tar/header.ts";
import type { Target } from "../tar/rebuild.ts";
import { isOverlayAttribute } from "./overlay.ts";
import { isStripped } from "./stripped_name.ts";
import { opaqueMarker, whiteoutMarker } from "./whiteouts.ts";

const SLASH = 0x2f;
const HERE = ascii("./");

/**
 * Time of the entries that ciso makes, in seconds since 1970. The layer, and its
 * digest, must not depend on when the image is made, and below rootfs/ they are
 * the same.
 */
const MISSING_TIME = 0;

/** Memory for paths of any length, to be used again. */
class Room {
  #bytes = new Uint8Array(512);
  /** Its first bytes as they were asked for, by their count. */
  #views: Uint8Array[] = [];

  /** So many bytes, good until the next call. */
  of(length: number): Uint8Array {
    if (length > this.#bytes.length) {
      this.#bytes = new Uint8Array(2 * length);
      this.#views = [];
    }
    return this.#views[length] ??= this.#bytes.subarray(0, length);
  }
}

/**
 * A path below a prefix such as `rootfs/`, with a slash after a directory.
 *
 * @param room Where it is made; new memory unless given.
 */
function below(
  prefix: Uint8Array,
  path: Uint8Array,
  isDirectory: boolean,
  room?: Room,
): Uint8Array {
  if (prefix.length === 0 && isStripped(path)) prefix = HERE;
  const slash = isDirectory && path.length > 0;
  const length = prefix.length + path.length + (slash ? 1 : 0);
  const whole = room ? room.of(length) : new Uint8Array(length);
  whole.set(prefix);
  whole.set(path, prefix.length);
  if (slash) whole[length - 1] = SLASH;
  return whole;
}

/** The header blocks of a missing directory. */
export function missingHeader(
  prefix: Uint8Array,
  path: Uint8Array,
): Uint8Array {
  return newHeader({
    path: below(prefix, path, true),
    type: "directory",
    mtime: MISSING_TIME,
  });
}

/** The header block of the entry that makes a directory opaque. */
export function opaqueHeader(
  prefix: Uint8Array,
  path: Uint8Array,
): Uint8Array {
  return newHeader({
    path: below(prefix, opaqueMarker(path), false),
    type: "file",
    mtime: MISSING_TIME,
  });
}

/** The header block of the entry that deletes a path of lower layers. */
export function whiteoutHeader(path: Uint8Array): Uint8Array {
  return newHeader({
    path: below(new Uint8Array(0), whiteoutMarker(path), false),
    type: "file",
    mtime: MISSING_TIME,
  });
}

/**
 * Makes the targets of entries that go below a prefix, in memory that it uses
 * again: a target is good until the next one is made.
 */
export class Targets {
  readonly #prefix: Uint8Array;
  readonly #path = new Room();
  readonly #link = new Room();

  /** @param prefix What comes before every path, such as `rootfs/`. */
  constructor(prefix: Uint8Array) {
    this.#prefix = prefix;
  }

  /**
   * The target of an entry that goes to `path`.
   *
   * @param link The path that a hard link leads to, without the prefix.
   */
  of(
    entry: Entry,
    path: Uint8Array,
    link: Uint8Array | undefined,
  ): Target {
    const isDirectory = entry.kind === "directory";
    const target: Target = {
      path: below(this.#prefix, path, isDirectory, this.#path),
      without: isOverlayAttribute,
    };
    if (link) target.link = below(this.#prefix, link, false, this.#link);
    return target;
  }
}
