import { parseArgs } from "@std/cli/parse-args";
import { UsageError } from "./usage_error.ts";

/** One option of the command line. */
export interface Option {
  /** Long name, without dashes. */
  name: string;
  /** Letter for the short form. */
  short?: string;
  /** What stands for its value in the help; an option without is a switch. */
  value?: string;
  /** What it does, in one line of the help. */
  help: string;
}

/** A command line, taken apart. */
export interface Parsed {
  /** Words that are no options. */
  words: string[];
  /** The words behind `--`, or `undefined` if there is no `--`. */
  behind: string[] | undefined;
  /** Tells whether a switch is given. */
  on(name: string): boolean;
  /** An option's value; the last one if it is given several times. */
  value(name: string): string | undefined;
  /** All values of an option, in order. */
  values(name: string): string[];
}

/**
 * Takes a command line apart.
 *
 * @param args The words behind the command's name.
 * @throws {UsageError} If an option is unknown or lacks its value.
 */
export function parseOptions(args: string[], options: Option[]): Parsed {
  const valued = options.filter((option) => option.value);
  const alias: Record<string, string> = {};
  for (const { short, name } of options) if (short) alias[short] = name;
  const dashes = args.indexOf("--");
  const before = dashes < 0 ? args : args.slice(0, dashes);
  const result = parseArgs(before, {
    string: [...valued.map(({ name }) => name), "_"],
    boolean: options.filter(({ value }) => !value).map(({ name }) => name),
    collect: valued.map(({ name }) => name),
    alias,
    unknown: (argument: string, key?: string) => {
      if (key === undefined) return true;
      throw new UsageError(
        `Unknown option ${argument.replace(/=.*/s, "")}`,
      );
    },
  }) as Record<string, unknown> & { _: string[] };
  for (const { name, short, value } of valued) {
    checkValues(name, short, value!, before, result[name] as string[]);
  }
  return {
    words: result._.map(String),
    behind: dashes < 0 ? undefined : args.slice(dashes + 1),
    on: (name) => result[name] === true,
    value: (name) => (result[name] as string[]).at(-1),
    values: (name) => result[name] as string[],
  };
}

/** parseArgs gives the empty string for a value that is not there. */
function checkValues(
  name: string,
  short: string | undefined,
  value: string,
  args: string[],
  values: string[],
): void {
  if (!values.includes("")) return;
  const forms = [`--${name}`, ...(short ? [`-${short}`] : [])];
  for (const [i, argument] of args.entries()) {
    // Said on purpose: an empty value.
    if (argument === `--${name}=`) return;
    if (forms.includes(argument) && args[i + 1] === "") return;
  }
  throw new UsageError(`Option ${forms.reverse().join("/")} needs ${value}`);
}
