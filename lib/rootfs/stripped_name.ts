const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * Whether libarchive cuts the start of a name: a drive's letter, or a
 * backslash, after slashes or without. It does not where the name starts with
 * `./`.
 *
 * @param name A path as a header has it.
 */
export function isStripped(name: Uint8Array): boolean {
  let at = 0;
  while (name[at] === SLASH) at++;
  if (name[at] === BACKSLASH) return true;
  // As lower case.
  const letter = (name[at] ?? 0) | 0x20;
  return letter >= 0x61 && letter <= 0x7a && name[at + 1] === COLON;
}
