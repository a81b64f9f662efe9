import type { IgnoreRules, Verdict } from "../directory/dockerignore.ts";

const SLASH = 0x2f;
const NONE: readonly string[] = [];

/** What rules leave out, asked path by path in the order of an archive. */
export class LeftOut {
  readonly #rules: IgnoreRules;
  /** The newest path and the directories above it, the root's first. */
  #chain: { path: string; verdict: Verdict }[] = [];

  constructor(rules: IgnoreRules) {
    this.#rules = rules;
  }

  /**
   * Judges a path, and the directories above it.
   *
   * @returns Whether it is left out; `below` if something below it may stay.
   */
  judge(path: string): boolean | "below" {
    const verdict = this.#verdict(path);
    if (!verdict?.excluded) return false;
    return this.#rules.mayTakeBelow(path, verdict) ? "below" : true;
  }

  /** The directories above the newest path that are left out themselves. */
  excludedAbove(): readonly string[] {
    const chain = this.#chain;
    let found = NONE;
    for (let i = 0; i < chain.length - 1; i++) {
      const { path, verdict } = chain[i]!;
      if (verdict.excluded) found = [...found, path];
    }
    return found;
  }

  #verdict(path: string): Verdict | undefined {
    if (path === "") return undefined;
    const chain = this.#chain;
    while (chain.length > 0) {
      const last = chain.at(-1)!;
      if (last.path === path) return last.verdict;
      const isBelow = path.charCodeAt(last.path.length) === SLASH &&
        path.startsWith(last.path);
      if (isBelow) break;
      chain.pop();
    }
    let verdict = chain.at(-1)?.verdict;
    const from = chain.at(-1)?.path.length ?? -1;
    for (
      let at = path.indexOf("/", from + 1);;
      at = path.indexOf("/", at + 1)
    ) {
      const part = at < 0 ? path : path.slice(0, at);
      verdict = this.#rules.judge(part, verdict);
      chain.push({ path: part, verdict });
      if (at < 0) return verdict;
    }
  }
}
