import { ascii } from "../streams/bytes.ts";
import type { Entry } from "../tar/entry.ts";
import { newHeader } from "../tar/header.ts";
import type { Target } from "../tar/rebuild.ts";
import { isOverlayAttribute } from "./overlay.ts";
import { isStripped } from "./stripped_name.ts";
import { opaqueMarker } from "./whiteouts.ts";

const SLASH = 0x2f;
const HERE = ascii("./");

/** A path below a prefix such as `rootfs/`, with a slash after a directory. */
function below(
  prefix: Uint8Array,
  path: Uint8Array,
  isDirectory: boolean,
): Uint8Array {
  if (prefix.length === 0 && isStripped(path)) prefix = HERE;
  const slash = isDirectory && path.length > 0;
  const whole = new Uint8Array(prefix.length + path.length + (slash ? 1 : 0));
  whole.set(prefix);
  whole.set(path, prefix.length);
  if (slash) whole[whole.length - 1] = SLASH;
  return whole;
}

/**
 * The header blocks of a missing directory.
 *
 * @param mtime Seconds since 1970.
 */
export function missingHeader(
  prefix: Uint8Array,
  path: Uint8Array,
  mtime: number,
): Uint8Array {
  return newHeader({
    path: below(prefix, path, true),
    type: "directory",
    mtime,
  });
}

/**
 * The header block of the entry that makes a directory opaque.
 *
 * @param mtime Seconds since 1970.
 */
export function opaqueHeader(
  prefix: Uint8Array,
  path: Uint8Array,
  mtime: number,
): Uint8Array {
  return newHeader({
    path: below(prefix, opaqueMarker(path), false),
    type: "file",
    mtime,
  });
}

/**
 * The target of an entry that goes to `path` below `prefix`.
 *
 * @param link The path that a hard link leads to, without the prefix.
 */
export function targetOf(
  prefix: Uint8Array,
  entry: Entry,
  path: Uint8Array,
  link: Uint8Array | undefined,
): Target {
  const target: Target = {
    path: below(prefix, path, entry.kind === "directory"),
    without: isOverlayAttribute,
  };
  if (link) target.link = below(prefix, link, false);
  return target;
}
