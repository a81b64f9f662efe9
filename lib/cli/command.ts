import type { Option, Parsed } from "./options.ts";

/**
 * One command of the program. This table entry is all that parsing, help,
 * completions and the manual know of it: a new command needs no more than an
 * entry in commands.ts.
 */
export interface Command {
  /** The word that calls it. */
  name: string;
  /** What it does, in the list of commands: begins with a verb, no full stop. */
  summary: string;
  /** Forms of its command line, without `ciso`. */
  usage: readonly string[];
  /** Paragraphs for the long help. Lines that begin with blanks stay as they are. */
  about: string;
  /** Its options; --help and --version come by themselves. */
  options: readonly Option[];
  /** What its words are; files unless given. */
  words?: "files" | "commands" | readonly string[];
  /** Exit codes that mean something else than for other commands. */
  exitCodes?: readonly (readonly [code: string, meaning: string])[];
  /** Command lines to learn from. */
  examples?: readonly string[];
  /**
   * Runs it.
   *
   * @returns The exit code, or nothing for 0. Failures are thrown, see failure.ts.
   */
  run(parsed: Parsed, program: Program): Promise<number | void>;
}

/** A page of help that belongs to no command. */
export interface Topic {
  name: string;
  /** What it is about, for the list of topics. */
  summary: string;
  /** Paragraphs, as {@linkcode Command.about}. */
  text: string;
}

/** The whole program, as it explains itself. */
export interface Program {
  version: string;
  /** The first one is called where a command line names none. */
  commands: readonly Command[];
  topics: readonly Topic[];
}

const GENERAL: Option[] = [
  {
    name: "help",
    short: "h",
    help: "show help: -h the most used options, --help all of it",
    group: "General",
  },
  {
    name: "version",
    short: "V",
    help: "show the version; with --verbose the git commit, too",
    group: "General",
  },
];

/** All options of a command, those that every command has included. */
export function optionsOf({ options }: Command): Option[] {
  const own = options.filter(({ name }) =>
    name !== "help" && name !== "version"
  );
  return [...own, ...GENERAL];
}

/** What can be given as an option's value. */
export type Choice =
  | { kind: "files" }
  | { kind: "none" }
  | { kind: "one" | "list"; values: readonly string[] };

/**
 * What completions offer for an option's value: its `values`, else files where
 * the value's name says so, else nothing.
 */
export function choiceOf({ value, values, list }: Option): Choice {
  if (values) return { kind: list ? "list" : "one", values };
  if (value && /^(FILE|IMAGE|DIR)\b/.test(value)) return { kind: "files" };
  return { kind: "none" };
}
