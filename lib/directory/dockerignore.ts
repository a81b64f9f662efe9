import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import { Glob, type Token } from "./glob.ts";

const SLASH = 0x2f;

/** Any number of directories, also none. */
const DIRECTORIES: Token = { repeats: "directories" };

/** What the rules say of a path, and what they need to judge its children. */
export interface Verdict {
  /** Whether the path is left out. */
  excluded: boolean;
  /** For each rule, whether it matches the path or a directory above it. */
  matches: readonly boolean[];
}

/** What most paths get. */
const SPARED: Verdict = { excluded: false, matches: [] };

/** One pattern, made ready to be tried. */
interface Rule {
  /** The pattern as it was given. */
  given: string;
  /** Whether it has matched a path. */
  used: boolean;
  /** Whether it takes in again what earlier rules leave out. */
  exception: boolean;
  form: Glob;
  /** Its leading directories that hold no wildcard, each with a slash after it. */
  fixed: string;
  /** Whether it holds a wildcard. */
  wild: boolean;
}

/**
 * Rules that leave files out, as in a `.dockerignore` file (Docker's
 * documentation, "Build context", ".dockerignore files"):
 *
 * - A pattern means a path below the root, whether it starts with a slash
 *   or not, and for all that is below that path: `tmp` is `/tmp` alone.
 * - `*` means any characters but `/`, `?` for one of them, `[a-z]` and
 *   `[^a-z]` for one of a class, `\` takes the next character as it is. Names
 *   that start with a dot are matched as well.
 * - `**` means any number of directories, also for none.
 * - A pattern that starts with `!` takes in again what patterns before it leave
 *   out, with the directories that lead there. The last pattern that matches a
 *   path, or a directory above it, decides.
 * - Blanks around a pattern, a slash at its end, `.` and `..` are cleaned away.
 *
 * Docker's own code lets `**file` match `myfile` too, where no other wildcard
 * follows; here it does not, so that no file is lost that the rules spare.
 *
 * @example
 * ```ts
 * import { IgnoreRules } from "@isoc/isoc/node";
 * import assert from "node:assert/strict";
 *
 * const rules = new IgnoreRules(["*.log", "!keep.log"]);
 * assert.ok(rules.excludes("debug.log"));
 * assert.ok(!rules.excludes("keep.log"));
 * ```
 */
export class IgnoreRules {
  readonly #rules: Rule[] = [];

  /**
   * Reads the patterns.
   *
   * @param patterns In order; blank ones are passed over. None is a comment.
   * @throws {InputError} If a pattern is malformed; the message names it.
   */
  constructor(patterns: Iterable<string>) {
    for (const pattern of patterns) {
      const rule = ruleOf(pattern);
      if (rule) this.#rules.push(rule);
    }
  }

  /**
   * Judges a path.
   *
   * @param path Components joined by slashes, none at either end; not empty.
   * Text, or its UTF-8.
   * @param parent What the rules say of the directory that holds it, unless
   * that is the root.
   */
  judge(path: string | Uint8Array, parent?: Verdict): Verdict {
    let excluded = false;
    let matches: boolean[] | undefined;
    for (let i = 0; i < this.#rules.length; i++) {
      const rule = this.#rules[i]!;
      const above = parent?.matches[i] === true;
      if (!above && !isFor(rule, path)) continue;
      if (!above) rule.used = true;
      excluded = !rule.exception;
      matches ??= this.#rules.map(() => false);
      matches[i] = true;
    }
    return matches ? { excluded, matches } : SPARED;
  }

  /** Whether a path is left out, whatever is known of its parents. */
  excludes(path: string): boolean {
    let verdict: Verdict | undefined;
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) {
      verdict = this.judge(path.slice(0, at), verdict);
    }
    return this.judge(path, verdict).excluded;
  }

  /** The patterns that have matched none of the judged paths. */
  get unused(): string[] {
    return this.#rules.filter(({ used }) => !used).map(({ given }) => given);
  }

  /**
   * Whether an exception may take in something below a directory that is
   * left out, so that one must look there.
   *
   * @param path The directory.
   * @param verdict What {@linkcode judge} says of it.
   */
  mayTakeBelow(path: string, verdict: Verdict): boolean {
    // Exceptions before the rule that decides do not count below it.
    const decides = verdict.matches.lastIndexOf(true);
    const directory = `${path}/`;
    return this.#rules.slice(decides + 1).some(({ exception, fixed, wild }) =>
      exception &&
      (wild
        ? fixed.startsWith(directory) || directory.startsWith(fixed)
        : fixed.startsWith(directory) && fixed !== directory)
    );
  }
}

function isFor({ form }: Rule, path: string | Uint8Array): boolean {
  return typeof path === "string" ? form.test(path) : form.testBytes(path);
}

/**
 * Reads the patterns of a file in the form of `.dockerignore`: one a line, lines
 * that start with `#` are comments.
 *
 * @param text The file's text.
 * @returns Patterns for {@linkcode IgnoreRules}.
 */
export function ignorePatterns(text: string): string[] {
  return text.replace(/^\uFEFF/, "").split("\n")
    .filter((line) => !line.startsWith("#") && trim(line) !== "");
}

/**
 * Makes a pattern ready that means a path alone, and not what is below it.
 *
 * @param pattern With the signs that {@linkcode IgnoreRules} knows, but no `!`.
 * @returns What tests paths; the root is `.`.
 * @throws {InputError} If the pattern is malformed.
 */
export function pathGlob(pattern: string): Glob {
  const cleaned = clean(pattern).replace(/^\/(?=.)/, "");
  return new Glob(tokens(cleaned === "/" ? "." : cleaned, pattern));
}

/** Takes off what Unicode calls white space. */
function trim(text: string): string {
  return text.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "");
}

function ruleOf(given: string): Rule | undefined {
  let pattern = trim(given);
  if (pattern === "") return undefined;
  const exception = pattern.startsWith("!");
  if (exception) pattern = trim(pattern.slice(1));
  if (pattern === "") throw malformed(given, "nothing follows the '!'");
  pattern = clean(pattern).replace(/^\/(?=.)/, "");
  const wildcard = pattern.search(/[*?[\\]/);
  return {
    given,
    used: false,
    exception,
    form: new Glob(tokens(pattern, given)),
    fixed: wildcard < 0
      ? `${pattern}/`
      : pattern.slice(0, pattern.lastIndexOf("/", wildcard) + 1),
    wild: wildcard >= 0,
  };
}

function malformed(pattern: string, reason: string): InputError {
  return new InputError(
    `The pattern ${shown(pattern)} is malformed: ${reason}`,
  );
}

/** The shortest path of the same meaning, without `.`, `..` or doubled slashes. */
function clean(path: string): string {
  const rooted = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!rooted) parts.push(part);
  }
  return (rooted ? "/" : "") + parts.join("/") || ".";
}

/** The parts of a cleaned pattern. */
function tokens(pattern: string, given: string): Token[] {
  const signs = [...pattern];
  const found: Token[] = [];
  let at = 0;

  /** A sign of a class, which a backslash may take as it is. */
  const member = () => {
    if (signs[at] === "-" || signs[at] === "]") {
      throw malformed(given, `a '${signs[at]}' in [ ] needs a backslash`);
    }
    if (signs[at] === "\\") at++;
    const sign = signs[at++];
    if (sign === undefined || at === signs.length) {
      throw malformed(given, "a [ has no ]");
    }
    return sign.codePointAt(0)!;
  };

  while (at < signs.length) {
    const sign = signs[at++]!;
    if (sign === "*" && signs[at] === "*") {
      at++;
      if (signs[at] === "/") at++;
      found.push(at === signs.length ? { repeats: "any" } : DIRECTORIES);
    } else if (sign === "*") found.push({ repeats: "name" });
    else if (sign === "?") found.push({ ranges: [[SLASH, SLASH]], not: true });
    else if (sign === "[") {
      const not = signs[at] === "^";
      if (not) at++;
      const ranges: [number, number][] = [];
      do {
        const low = member();
        let high = low;
        if (signs[at] === "-") {
          at++;
          high = member();
        }
        if (high < low) throw malformed(given, "a range runs backwards");
        ranges.push([low, high]);
      } while (signs[at] !== "]");
      at++;
      found.push({ ranges, not });
    } else if (sign === "\\") {
      const next = signs[at++];
      if (next === undefined) {
        throw malformed(given, "nothing follows the '\\'");
      }
      found.push(literal(next));
    } else found.push(literal(sign));
  }
  return found;
}

function literal(sign: string): Token {
  const code = sign.codePointAt(0)!;
  return { ranges: [[code, code]], not: false };
}
