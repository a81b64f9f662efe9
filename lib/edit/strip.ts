const SLASH = 0x2f;

/**
 * Takes the first components off a path as GNU tar's `--strip-components` does:
 * slashes at the beginning do not count, but a `.` does.
 *
 * @param path A path as a header has it.
 * @param count How many components go.
 * @returns The rest, or `undefined` if nothing is left.
 */
export function stripped(
  path: Uint8Array,
  count: number,
): Uint8Array | undefined {
  let at = 0;
  const skip = () => {
    while (path[at] === SLASH) at++;
  };
  skip();
  for (let i = 0; i < count; i++) {
    at = path.indexOf(SLASH, at);
    if (at < 0) return undefined;
    skip();
  }
  return at < path.length ? path.subarray(at) : undefined;
}
