/**
 * A token of a pattern: one sign in, or outside of, some ranges of code points;
 * or signs that repeat: any ones, any but `/` (`name`), or nothing or any signs
 * up to a `/` (`directories`).
 */
export type Token =
  | { ranges: readonly (readonly [number, number])[]; not: boolean }
  | { repeats: "any" | "name" | "directories" };

const SLASH = 0x2f;

/**
 * A pattern that is matched in one pass over the text: all places in the pattern
 * that the text so far leads to are known at once. A regular expression tries
 * them one after the other, and with a dozen stars that takes for ever.
 */
export class Glob {
  readonly #tokens: readonly Token[];

  /** @param tokens The pattern's parts, in order. */
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** Whether every text matches. */
  get matchesAll(): boolean {
    const [first, second] = this.#tokens;
    return first !== undefined && second === undefined &&
      "repeats" in first && first.repeats === "any";
  }

  /** Whether a text matches as a whole. */
  test(text: string): boolean {
    const { length } = this.#tokens;
    let now = new Uint8Array(length + 1);
    let next = new Uint8Array(length + 1);
    this.#enter(now, 0);
    for (const sign of text) {
      const code = sign.codePointAt(0)!;
      next.fill(0);
      let isDead = true;
      for (let at = 0; at < length; at++) {
        if (now[at] === 0) continue;
        if (this.#step(next, at, code)) isDead = false;
      }
      if (isDead) return false;
      [now, next] = [next, now];
    }
    return now[length] === 1;
  }

  /** Takes one sign at a place; returns whether that leads anywhere. */
  #step(next: Uint8Array, at: number, code: number): boolean {
    const token = this.#tokens[at]!;
    if ("ranges" in token) {
      const isIn = token.ranges.some(([low, high]) =>
        code >= low && code <= high
      );
      if (isIn === token.not) return false;
      this.#enter(next, at + 1);
      return true;
    }
    if (token.repeats === "directories") {
      // Inside of directories nothing follows but what ends with a slash.
      next[at] = 1;
      if (code === SLASH) this.#enter(next, at + 1);
      return true;
    }
    if (token.repeats === "name" && code === SLASH) return false;
    this.#enter(next, at);
    return true;
  }

  /** Marks a place, and those after it that need no sign. */
  #enter(places: Uint8Array, at: number): void {
    for (; places[at] === 0; at++) {
      places[at] = 1;
      const token = this.#tokens[at];
      if (!token || "ranges" in token) return;
    }
  }
}
