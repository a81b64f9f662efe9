import {
  choiceOf,
  type Command,
  optionsOf,
  type Program,
  type Topic,
} from "./command.ts";
import type { Option } from "./options.ts";

/** Columns of the help, and of the forms of options in it. */
const WIDTH = 79;
const MARGIN = 28;

/** Exit codes of all commands, where a command does not say more. */
export const EXIT_CODES: readonly (readonly [string, string])[] = [
  ["0", "done"],
  [
    "1",
    "a file, an archive, an engine or the machine is at fault: it cannot be " +
    "read or written, or is not what the command needs",
  ],
  [
    "2",
    "the command line is wrong: an unknown option, a missing or forbidden name",
  ],
  ["70", "ciso itself is at fault: please report it"],
  ["129, 130, 143", "stopped by hangup, Ctrl-C, or termination"],
  ["141", "the reader of standard output went away"],
];

/** Environment variables, for the help and the manual. */
export const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ["NAME", "name of the image, where no --tag is given"],
  ["COMMAND", "command, where none follows --, split as in a shell"],
  [
    "SOURCE_DATE_EPOCH",
    "creation time in seconds since 1970, for the same bytes every time",
  ],
  ["TMPDIR", "where temporary files go, such as the copy of a piped input"],
  ["COSIGN_PASSWORD", "password of a private key"],
  ["NO_COLOR", "no colours on a terminal"],
  ["CISO_DEBUG", "show where in the program an error comes from"],
];

/** The long help of a command: what `--help` and `ciso help COMMAND` print. */
export function longHelp(command: Command, program: Program): string {
  const isFirst = command === program.commands[0];
  return sections([
    `ciso ${command.name}: ${command.summary}.`,
    usage(command),
    wrapped(command.about),
    ...(isFirst ? [commandList(program), topicList(program)] : []),
    ...optionGroups(command).map(([heading, options]) =>
      `${heading}:\n${optionTable(options)}`
    ),
    isFirst ? `Environment:\n${table(ENVIRONMENT)}` : "",
    exitCodes(command, isFirst),
    examples(command),
  ]);
}

/** The short help of a command: what `-h` prints. */
export function shortHelp(command: Command, program: Program): string {
  const options = optionsOf(command);
  const brief = options.filter(({ brief }) => brief);
  const isFirst = command === program.commands[0];
  return sections([
    `ciso ${command.name}: ${command.summary}.`,
    usage(command),
    brief.length > 0 ? `Options:\n${optionTable(brief)}` : "",
    isFirst ? commandList(program) : "",
    examples(command),
    `All options and more: ciso ${
      isFirst ? "" : `${command.name} `
    }--help, or ciso help ${isFirst ? "[COMMAND|TOPIC]" : command.name}`,
  ]);
}

/** What `ciso help` and a bare `ciso` on a terminal print. */
export function overview(program: Program): string {
  return sections([
    `ciso ${program.version} makes one image archive for all container engines.`,
    `Usage:\n${
      program.commands.map(({ name, usage: [form = name] }) => `  ciso ${form}`)
        .join("\n")
    }`,
    commandList(program),
    topicList(program),
    "More: ciso help COMMAND, ciso help TOPIC, or ciso COMMAND -h",
  ]);
}

/** A topic's page. */
export function topicHelp({ text }: Topic): string {
  return sections([wrapped(text)]);
}

/** A command's options by their headings, in the order of the table. */
export function optionGroups(command: Command): [string, Option[]][] {
  const groups = new Map<string, Option[]>();
  for (const option of optionsOf(command)) {
    const heading = option.group ?? "Options";
    groups.set(heading, [...groups.get(heading) ?? [], option]);
  }
  return [...groups];
}

/** An option's forms, as the help shows them. */
export function formOf({ name, short, value }: Option): string {
  return `${short ? `-${short}, ` : "    "}--${name}${
    value ? ` ${value}` : ""
  }`;
}

/** What an option does, with the values that it takes. */
export function helpOf(option: Option): string {
  const choice = choiceOf(option);
  return "values" in choice && !option.value?.includes("|")
    ? `${option.help}: ${choice.values.join(", ")}`
    : option.help;
}

/** Exit codes of a command, those of its own first. */
export function exitCodesOf(command: Command): (readonly [string, string])[] {
  const own = command.exitCodes ?? [];
  const others = EXIT_CODES.filter(([code]) =>
    !own.some(([other]) => other === code)
  );
  return [...own, ...others].sort(([a], [b]) => parseInt(a) - parseInt(b));
}

function sections(parts: string[]): string {
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function usage({ name, usage }: Command): string {
  const forms = usage.length > 0 ? usage : [name];
  return `Usage:\n${forms.map((form) => `  ciso ${form}`).join("\n")}`;
}

function commandList({ commands }: Program): string {
  return `Commands:\n${
    table(commands.map(({ name, summary }) => [name, summary]))
  }`;
}

function topicList({ topics }: Program): string {
  return topics.length > 0
    ? `Topics of ciso help:\n${
      table(topics.map(({ name, summary }) => [name, summary]))
    }`
    : "";
}

function exitCodes(command: Command, all: boolean): string {
  if (!all && !command.exitCodes) return "";
  return `Exit codes:\n${table(exitCodesOf(command), 17)}`;
}

function examples({ examples }: Command): string {
  return examples
    ? `Examples:\n${examples.map((line) => `  ${line}`).join("\n")}`
    : "";
}

function optionTable(options: Option[]): string {
  return table(
    options.map((option) => [formOf(option), helpOf(option)]),
    MARGIN,
  );
}

/** Two columns: terms, and what they mean, which goes on below itself. */
export function table(
  rows: readonly (readonly [string, string])[],
  margin = Math.max(...rows.map(([term]) => term.length)) + 4,
): string {
  const blanks = " ".repeat(margin);
  return rows.map(([term, meaning]) => {
    const text = wrap(meaning, WIDTH - margin).join(`\n${blanks}`);
    const head = `  ${term}`;
    return head.length + 1 < margin
      ? head.padEnd(margin) + text
      : `${head}\n${blanks}${text}`;
  }).join("\n");
}

/** Paragraphs, broken into lines; lines that begin with blanks stay. */
function wrapped(text: string): string {
  return text.split("\n\n").map((paragraph) => {
    const lines: string[] = [];
    let running: string[] = [];
    const flush = () => {
      if (running.length > 0) lines.push(...wrap(running.join(" "), WIDTH));
      running = [];
    };
    for (const line of paragraph.split("\n")) {
      if (/^\s/.test(line)) {
        flush();
        lines.push(line);
      } else running.push(line);
    }
    flush();
    return lines.join("\n");
  }).join("\n\n");
}

/** Breaks a text at its blanks into lines of `width` characters at most. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
