import { parseArgs } from "@std/cli";
import { shownWord } from "../errors/shown.ts";
import { nearestWord } from "./nearest_word.ts";
import { UsageError } from "./usage_error.ts";

/** One option of the command line. */
export interface Option {
  /** Long name, without dashes. */
  name: string;
  /** Letter for the short form. */
  short?: string;
  /**
   * The word for its value in the help; an option without one is a switch. One
   * in brackets may be left out: then only a number after the option is its
   * value. Several words are several values.
   */
  value?: string;
  /** What it does: no capital, no full stop. */
  help: string;
  /** The heading that the long help lists it under; "Options" unless given. */
  group?: string;
  /** Whether the short help lists it too. */
  brief?: true;
  /** The values that it takes, where they can be listed. */
  values?: readonly string[];
  /** Whether it takes several of them, with commas between. */
  list?: true;
}

/** Values that may be empty: no words, no text. */
const MAY_BE_EMPTY = /^(WORDS|TEXT)$/;

/** Options below one heading of the help. */
export function group(heading: string, options: Option[]): Option[] {
  return options.map((option) => ({ group: heading, ...option }));
}

/** A command line, taken apart. */
export interface Parsed {
  /** Words that are no options. */
  words: string[];
  /** The words after `--`, or `undefined` if there is no `--`. */
  rest: string[] | undefined;
  /** Whether a switch is given. */
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
 * comes where a value must be is an option.
 *
 * @param args The words after the command's name.
 * @param options The options that there are.
 * @param hint What else an unknown option could mean: gets its form, and the word
 * that it comes from.
 * @throws {UsageError} If an option is unknown, lacks its value or has an empty
 * one, or a switch has one; if a word is empty.
 */
export function parseOptions(
  args: readonly string[],
  options: readonly Option[],
  hint: Hint = () => undefined,
): Parsed {
  const { given, words, rest } = expand(args, options, hint);
  if (words.includes("")) {
    throw new UsageError(
      "A word of the command line is empty: is a variable of the shell not set?",
    );
  }
  const names = (isSwitch: boolean) =>
    options.filter(({ value }) => (value === undefined) === isSwitch)
      .map(({ name }) => name);
  const found: Record<string, unknown> = parseArgs(given, {
    boolean: names(true),
    string: names(false),
    collect: names(false),
  });
  const values = (name: string) =>
    Object.hasOwn(found, name) && Array.isArray(found[name])
      ? found[name] as string[]
      : [];
  return {
    words,
    rest,
    on: (name) => Object.hasOwn(found, name) && found[name] === true,
    value: (name) => values(name).at(-1),
    values,
  };
}

/** Says what an unknown option could mean, after a colon. */
export type Hint = (form: string, word: string) => string | undefined;

/** A command line whose options have one form: `--name=VALUE` or `--name`. */
interface Expanded {
  given: string[];
  words: string[];
  rest: string[] | undefined;
}

/**
 * Brings all options to one form, which parseArgs reads as it is meant. By itself
 * parseArgs takes `-eKEY=VALUE` for the value `VALUE`, a word `1.0` for a number,
 * the word after a switch for its value if it is `true` or `false`, and
 * `--quiet=1` for right.
 */
function expand(
  args: readonly string[],
  options: readonly Option[],
  hint: Hint,
): Expanded {
  const byForm = new Map<string, Option>();
  for (const option of options) {
    byForm.set(`--${option.name}`, option);
    if (option.short) byForm.set(`-${option.short}`, option);
  }
  const given: string[] = [];
  const words: string[] = [];
  const isOption = (word: string) =>
    word === "--" || byForm.has(word.replace(/=.*/s, ""));
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (word === "--") return { given, words, rest: args.slice(i + 1) };
    // "-:NAME" is one image of several on standard input.
    if (/^(?!-[^:])/.test(word)) {
      words.push(word);
      continue;
    }
    for (const { option, form, value } of formsIn(word, byForm)) {
      if (!option) throw unknown(form, byForm, hint(form, word));
      const { name } = option;
      if (!option.value) {
        if (value !== undefined) {
          throw new UsageError(`Option ${form} takes no value`);
        }
        given.push(`--${name}`);
        continue;
      }
      const next = args[i + 1];
      if (option.value.startsWith("[")) {
        const isValue = value === undefined && /^\d+$/.test(next ?? "");
        if (isValue) i++;
        given.push(`--${name}=${value ?? (isValue ? next : "")}`);
        continue;
      }
      // An option may have several values, a word each.
      const values = value === undefined ? [] : [value];
      while (values.length < option.value.split(" ").length) {
        const next = args[i + 1];
        if (next === undefined || isOption(next)) throw lacksValue(option);
        values.push(next);
        i++;
      }
      if (values.includes("") && !MAY_BE_EMPTY.test(option.value)) {
        throw lacksValue(option, ", and has an empty one");
      }
      given.push(...values.map((value) => `--${name}=${value}`));
    }
  }
  return { given, words, rest: undefined };
}

/** The options that a word has: one, or several letters after one dash. */
function* formsIn(
  word: string,
  byForm: Map<string, Option>,
): Generator<{ form: string; option?: Option; value?: string }> {
  if (word.startsWith("--")) {
    const at = word.indexOf("=");
    const form = at < 0 ? word : word.slice(0, at);
    const option = byForm.get(form);
    yield {
      form,
      ...(option && { option }),
      ...(at >= 0 && { value: word.slice(at + 1) }),
    };
    return;
  }
  const letters = [...word.slice(1)];
  for (const [i, letter] of letters.entries()) {
    const form = `-${letter}`;
    const option = byForm.get(form);
    if (!option?.value) {
      yield { form, ...(option && { option }) };
      continue;
    }
    const rest = letters.slice(i + 1).join("");
    yield { form, option, ...(rest && { value: rest.replace(/^=/, "") }) };
    return;
  }
}

function unknown(
  form: string,
  known: Map<string, Option>,
  hint: string | undefined,
): UsageError {
  const forms = [...known.keys()].filter((other) => other.startsWith("--"));
  const meant = form.startsWith("--") ? nearestWord(form, forms) : undefined;
  const more = hint ?? (meant && `did you mean ${meant}?`);
  return new UsageError(
    `Unknown option ${shownWord(form)}${more ? `: ${more}` : ""}`,
  );
}

function lacksValue({ name, short, value }: Option, how = ""): UsageError {
  const forms = `${short ? `-${short}/` : ""}--${name}`;
  return new UsageError(`Option ${forms} needs ${value}${how}`);
}
