/** How a registry asks who sends a request. */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  scheme: string;
  /** Its parameters by lower-case name, such as `realm`. */
  parameters: Map<string, string>;
}

/** No registry writes a longer header, in characters. */
const MAX_HEADER = 1 << 14;

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const VALUE = /"((?:[^"\\]|\\.)*)"|([^\s,"]*)/y;
const SPACE = /[\s,]*/y;
const EQUALS = /\s*=\s*/y;

/**
 * Reads the header `WWW-Authenticate`: RFC 9110, section 11.6.1.
 *
 * @param header What the registry sent.
 * @returns Its challenges in order. What cannot be read ends the list.
 *
 * @example
 * ```ts
 * import { parseChallenges } from "./challenge.ts";
 * import assert from "node:assert/strict";
 *
 * const [challenge] = parseChallenges('Bearer realm="https://a/t",service=s');
 * assert.equal(challenge?.scheme, "bearer");
 * assert.equal(challenge?.parameters.get("service"), "s");
 * ```
 */
export function parseChallenges(header: string): Challenge[] {
  const text = header.slice(0, MAX_HEADER);
  const challenges: Challenge[] = [];
  let at = 0;
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(SPACE);
    const name = take(TOKEN)?.[0].toLowerCase();
    if (name === undefined) return challenges;
    const current = challenges.at(-1);
    if (current && take(EQUALS)) {
      const match = take(VALUE);
      const value = match?.[1]?.replace(/\\(.)/g, "$1") ?? match?.[2] ?? "";
      // The first one counts, so that nothing after it can replace it.
      if (!current.parameters.has(name)) current.parameters.set(name, value);
    } else challenges.push({ scheme: name, parameters: new Map() });
  }
}
