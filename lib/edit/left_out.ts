import type { IgnoreRules, Verdict } from "../directory/dockerignore.ts";

const SLASH = 0x2f;
const NONE: readonly string[] = [];
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** What rules leave out, asked path by path in the order of an archive. */
export class LeftOut {
  readonly #rules: IgnoreRules;
  /** The newest path. */
  #newest: Uint8Array = new Uint8Array(1 << 12);
  /** It and the directories above it, the root's first: their lengths. */
  #chain: { length: number; verdict: Verdict }[] = [];

  constructor(rules: IgnoreRules) {
    this.#rules = rules;
  }

  /**
   * Judges a path, and the directories above it.
   *
   * @returns Whether it is left out; `below` if something below it may stay.
   */
  judge(path: Uint8Array): boolean | "below" {
    const verdict = this.#verdict(path);
    if (!verdict?.excluded) return false;
    const text = DECODER.decode(path);
    return this.#rules.mayTakeBelow(text, verdict) ? "below" : true;
  }

  /** The directories above the newest path that are left out themselves. */
  excludedAbove(): readonly string[] {
    const chain = this.#chain;
    let found = NONE;
    for (let i = 0; i < chain.length - 1; i++) {
      const { length, verdict } = chain[i]!;
      if (!verdict.excluded) continue;
      found = [...found, DECODER.decode(this.#newest.subarray(0, length))];
    }
    return found;
  }

  #verdict(path: Uint8Array): Verdict | undefined {
    if (path.length === 0) return undefined;
    const chain = this.#chain;
    const same = this.#sameAs(path);
    while (chain.length > 0) {
      const { length, verdict } = chain.at(-1)!;
      if (length <= same) {
        if (length === path.length) return verdict;
        if (path[length] === SLASH) break;
      }
      chain.pop();
    }
    if (path.length > this.#newest.length) this.#newest = path.slice();
    else this.#newest.set(path.subarray(same), same);
    let verdict = chain.at(-1)?.verdict;
    const from = chain.at(-1)?.length ?? -1;
    for (
      let at = path.indexOf(SLASH, from + 1);;
      at = path.indexOf(SLASH, at + 1)
    ) {
      const length = at < 0 ? path.length : at;
      verdict = this.#rules.judge(path.subarray(0, length), verdict);
      chain.push({ length, verdict });
      if (at < 0) return verdict;
    }
  }

  /** How many bytes a path begins with as the newest one does. */
  #sameAs(path: Uint8Array): number {
    const newest = this.#newest;
    const end = Math.min(path.length, this.#chain.at(-1)?.length ?? 0);
    let at = 0;
    while (at < end && path[at] === newest[at]) at++;
    return at;
  }
}
