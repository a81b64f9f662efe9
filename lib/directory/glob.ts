/**
 * A token of a pattern: one sign in, or outside of, some ranges of code points;
 * or signs that repeat: any ones, any but `/` (`name`), or nothing or any signs
 * up to a `/` (`directories`).
 */
export type Token =
  | { ranges: readonly (readonly [number, number])[]; not: boolean }
  | { repeats: "any" | "name" | "directories" };

const SLASH = 0x2f;
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** Signs that a state knows the next state of. */
const KNOWN = 128;
/** States that are kept. */
const MAX_STATES = 1 << 10;

/** All places in the pattern that a text leads to. */
interface State {
  /** A place that the text leads to has a 1. */
  places: Uint8Array;
  /** Whether the text so far matches as a whole. */
  matches: boolean;
  /** The state after each ASCII sign, once it is known. */
  next: (State | null | undefined)[];
}

/**
 * A pattern that is matched in one pass over the text: all places in the pattern
 * that the text so far leads to are known at once, and what a sign makes of them
 * is remembered. A regular expression tries them one after the other, and with a
 * dozen stars that takes for ever.
 */
export class Glob {
  /** Whether every text matches. */
  readonly matchesAll: boolean;
  readonly #tokens: readonly Token[];
  /** ASCII signs that every text that matches ends with. */
  readonly #ending: Uint8Array;
  /** The states that are known, by their places. */
  readonly #states = new Map<string, State>();
  #first: State | undefined;

  /** @param tokens The pattern's parts, in order. */
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
    const [first, second] = tokens;
    this.matchesAll = first !== undefined && second === undefined &&
      "repeats" in first && first.repeats === "any";
    this.#ending = endingOf(tokens);
  }

  /**
   * Whether a path may match, as the end of its name shows. That is far quicker
   * than a look at all of it.
   *
   * @param path Not empty; it need not be normalized at its beginning, but has
   * no slash or dot at its end.
   */
  mayMatchName(path: Uint8Array): boolean {
    return endsAs(path, this.#ending, this.#ending.lastIndexOf(SLASH) + 1);
  }

  /** Whether a text matches as a whole, given as its UTF-8. */
  testBytes(text: Uint8Array): boolean {
    if (!endsAs(text, this.#ending, 0)) return false;
    let state = this.#first ??= this.#start();
    for (let at = 0; at < text.length; at++) {
      const code = text[at]!;
      if (code >= KNOWN) return this.test(DECODER.decode(text));
      const next = state.next[code] ?? this.#after(state, code);
      if (next === null) return false;
      state = next;
    }
    return state.matches;
  }

  /** Whether a text matches as a whole. */
  test(text: string): boolean {
    let state = this.#first ??= this.#start();
    for (let at = 0; at < text.length; at++) {
      let code = text.charCodeAt(at);
      if (code >= KNOWN) {
        code = text.codePointAt(at)!;
        if (code > 0xffff) at++;
      }
      const next = state.next[code] ?? this.#after(state, code);
      if (next === null) return false;
      state = next;
    }
    return state.matches;
  }

  #start(): State {
    const places = new Uint8Array(this.#tokens.length + 1);
    this.#enter(places, 0);
    return this.#state(places);
  }

  /** The state after one more sign; `null` if the text cannot match any more. */
  #after(state: State, code: number): State | null {
    if (state.next[code] === null) return null;
    const places = new Uint8Array(this.#tokens.length + 1);
    let isDead = true;
    for (let at = 0; at < this.#tokens.length; at++) {
      if (state.places[at] === 0) continue;
      if (this.#step(places, at, code)) isDead = false;
    }
    const next = isDead ? null : this.#state(places);
    if (code < KNOWN) state.next[code] = next;
    return next;
  }

  #state(places: Uint8Array): State {
    const key = places.join("");
    let state = this.#states.get(key);
    if (!state) {
      // Odd patterns have more states than memory may hold.
      if (this.#states.size === MAX_STATES) {
        this.#states.clear();
        this.#first = undefined;
      }
      const next = new Array(KNOWN).fill(undefined);
      state = { places, matches: places.at(-1) === 1, next };
      this.#states.set(key, state);
    }
    return state;
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

/** The ASCII signs that a pattern ends with. */
function endingOf(tokens: readonly Token[]): Uint8Array {
  const signs: number[] = [];
  for (let at = tokens.length - 1; at >= 0; at--) {
    const token = tokens[at]!;
    if (!("ranges" in token) || token.not || token.ranges.length !== 1) break;
    const [low, high] = token.ranges[0]!;
    if (low !== high || low >= KNOWN) break;
    signs.unshift(low);
  }
  return Uint8Array.from(signs);
}

/** Whether a text ends with the signs that an ending has from an index on. */
function endsAs(text: Uint8Array, ending: Uint8Array, from: number): boolean {
  const shift = text.length - ending.length;
  if (shift + from < 0) return false;
  for (let at = ending.length - 1; at >= from; at--) {
    if (text[shift + at] !== ending[at]) return false;
  }
  return true;
}
