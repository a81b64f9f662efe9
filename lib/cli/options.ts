import { shownWord } from "../errors/shown.ts";
import { oneEditAway } from "../rootfs/one_edit_away.ts";
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
 * Takes a command line apart, as GNU's getopt does: `--name VALUE`,
 * `--name=VALUE`, `-n VALUE`, `-nVALUE`, `-n=VALUE`, switches together as in
 * `-qv`, options and other words in any order, `-` is a word. An option that
 * stands where a value should is taken for an option. (Not by parseArgs of
 * `@std/cli`, which reads `-eKEY=VALUE` as the value `VALUE`.)
 *
 * @param args The words behind the command's name.
 * @param options The options that there are.
 * @throws {UsageError} If an option is unknown or lacks its value, or a switch
 * has one.
 */
export function parseOptions(args: string[], options: Option[]): Parsed {
  const byForm = new Map<string, Option>();
  for (const option of options) {
    byForm.set(`--${option.name}`, option);
    if (option.short) byForm.set(`-${option.short}`, option);
  }
  const found = new Map<string, string[]>();
  const words: string[] = [];
  let behind: string[] | undefined;

  const add = ({ name }: Option, value: string) =>
    found.set(name, [...found.get(name) ?? [], value]);
  const isOption = (word: string) =>
    word === "--" || byForm.has(word.replace(/=.*/s, ""));

  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (word === "--") {
      behind = args.slice(i + 1);
      break;
    }
    if (word === "-" || !word.startsWith("-")) {
      words.push(word);
      continue;
    }
    const next = (option: Option) => {
      const value = args[i + 1];
      if (value === undefined || isOption(value)) throw lacksValue(option);
      i++;
      return value;
    };
    if (word.startsWith("--")) {
      const [form] = word.split("=", 1) as [string];
      const option = byForm.get(form);
      if (!option) throw unknown(form, byForm);
      const given = form === word ? undefined : word.slice(form.length + 1);
      if (option.value) add(option, given ?? next(option));
      else if (given === undefined) add(option, "");
      else throw new UsageError(`Option ${form} takes no value`);
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      const form = `-${word[at]}`;
      const option = byForm.get(form);
      if (!option) throw unknown(form, byForm);
      if (option.value) {
        const rest = word.slice(at + 1);
        add(option, rest === "" ? next(option) : rest.replace(/^=/, ""));
        break;
      }
      add(option, "");
    }
  }
  return {
    words,
    behind,
    on: (name) => found.has(name),
    value: (name) => found.get(name)?.at(-1),
    values: (name) => found.get(name) ?? [],
  };
}

function unknown(form: string, known: Map<string, Option>): UsageError {
  const meant = form.startsWith("--") && [...oneEditAway(form)]
    .find((other) => other.startsWith("--") && known.has(other));
  return new UsageError(
    `Unknown option ${shownWord(form)}${
      meant ? `: did you mean ${meant}?` : ""
    }`,
  );
}

function lacksValue({ name, short, value }: Option): UsageError {
  const forms = `${short ? `-${short}/` : ""}--${name}`;
  return new UsageError(`Option ${forms} needs ${value}`);
}
