import { InputError } from "../errors/input_error.ts";

const SLASH = 0x2f;
const DOT = 0x2e;

/** Longest path component that Linux takes, in bytes. */
export const NAME_MAX = 255;

/**
 * Brings a path as found in a tar header to one form: components joined by
 * single slashes, without `.` components and without a slash at either end.
 * The archive's root becomes the empty path.
 *
 * @param path Bytes of the path; they need not be UTF-8. Not changed; the
 * result may be a view of it.
 * @throws {InputError} If the path climbs with `..`, or one of its components
 * is longer than Linux takes.
 */
export function normalizePath(path: Uint8Array): Uint8Array {
  let start = 0;
  let end = path.length;
  // Most names need no more than their ends trimmed: no copy for these.
  for (;;) {
    if (start < end && path[start] === SLASH) start++;
    else if (
      start < end && path[start] === DOT &&
      (start + 1 === end || path[start + 1] === SLASH)
    ) start++;
    else break;
  }
  while (end > start && path[end - 1] === SLASH) end--;
  let clean = true;
  let from = start;
  for (let i = start; i <= end; i++) {
    if (i < end && path[i] !== SLASH) continue;
    const length = i - from;
    if (length > NAME_MAX) {
      throw new InputError(
        `A path component is ${length} bytes long; Linux takes ` +
          `${NAME_MAX}: rename it`,
      );
    }
    if (length === 0 || (length === 1 && path[from] === DOT)) clean = false;
    else if (
      length === 2 && path[from] === DOT && path[from + 1] === DOT
    ) {
      throw new InputError(
        "The path climbs with '..'; archive the tree from its own root",
      );
    }
    from = i + 1;
  }
  if (clean || start === end) {
    return end - start === path.length ? path : path.subarray(start, end);
  }
  const out = new Uint8Array(end - start);
  let length = 0;
  for (const part of components(path.subarray(start, end))) {
    if (length > 0) out[length++] = SLASH;
    out.set(part, length);
    length += part.length;
  }
  return out.subarray(0, length);
}

/** The components of a path, without `.` and empty ones, but with `..`. */
export function* components(path: Uint8Array): Generator<Uint8Array> {
  let from = 0;
  for (let i = 0; i <= path.length; i++) {
    if (i < path.length && path[i] !== SLASH) continue;
    const part = path.subarray(from, i);
    from = i + 1;
    if (part.length === 0 || (part.length === 1 && part[0] === DOT)) continue;
    yield part;
  }
}

/** `directory` and `name` joined by a slash; either may be empty. */
export function joinPath(directory: Uint8Array, name: Uint8Array): Uint8Array {
  if (directory.length === 0) return name;
  if (name.length === 0) return directory;
  const out = new Uint8Array(directory.length + 1 + name.length);
  out.set(directory);
  out[directory.length] = SLASH;
  out.set(name, directory.length + 1);
  return out;
}

/** Length of a path's ancestor that many levels up; 0 for the root. */
export function ancestorLength(path: Uint8Array, levels: number): number {
  let at = path.length;
  while (levels-- > 0 && at > 0) {
    at = Math.max(path.lastIndexOf(SLASH, at - 1), 0);
  }
  return at;
}
