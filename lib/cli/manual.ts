import { type Command, optionsOf, type Program } from "./command.ts";
import {
  ENVIRONMENT,
  exitCodesOf,
  formOf,
  helpOf,
  optionGroups,
} from "./help.ts";

/**
 * A command's page of the manual.
 *
 * @param command The command; the whole program's page unless given.
 * @returns Source for man(7).
 */
export function manualPage(program: Program, command?: Command): string {
  const pages = command ? [command] : program.commands;
  const title = command ? `ciso-${command.name}` : "ciso";
  const summary = command?.summary ??
    "make one image archive for all container engines";
  return [
    `.TH ${title.toUpperCase()} 1 "" "ciso ${program.version}" "User Commands"`,
    section("NAME", `${text(title)} \\- ${text(summary)}`),
    section("SYNOPSIS", synopsis(pages)),
    ...command
      ? [section("DESCRIPTION", paragraphs(command.about))]
      : [section("COMMANDS", commandList(program.commands))],
    ...command ? options(command) : [],
    ...command
      ? []
      : program.topics.map(({ name, text }) =>
        section(name.toUpperCase(), paragraphs(text))
      ),
    section("ENVIRONMENT", terms(ENVIRONMENT)),
    section("EXIT STATUS", terms(exitCodesOf(command ?? pages[0]!))),
    ...examples(pages),
    section("SEE ALSO", seeAlso(program, command)),
  ].join("\n") + "\n";
}

/** The name of a page's file. */
export function manualName(command?: Command): string {
  return command ? `ciso-${command.name}.1` : "ciso.1";
}

function section(name: string, body: string): string {
  return `.SH "${name.replaceAll("-", " ")}"\n${body}`;
}

function synopsis(commands: readonly Command[]): string {
  return commands.flatMap(({ usage }) => usage)
    .map((form) => `.B ciso\n${text(form)}`).join("\n.br\n");
}

function commandList(commands: readonly Command[]): string {
  return commands.map(({ name, summary }) =>
    `.TP\n.BR ciso\\-${text(name)} (1)\n${text(summary)}`
  ).join("\n");
}

function options(command: Command): string[] {
  if (optionsOf(command).length === 0) return [];
  const groups = optionGroups(command).map(([heading, options]) => {
    const list = options.map((option) =>
      `.TP\n.B ${text(formOf(option).trim())}\n${text(helpOf(option))}`
    ).join("\n");
    return `.SS ${text(heading)}\n${list}`;
  });
  return [section("OPTIONS", groups.join("\n"))];
}

function terms(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([term, meaning]) =>
    `.TP\n.B ${text(term)}\n${text(meaning)}`
  )
    .join("\n");
}

function examples(commands: readonly Command[]): string[] {
  const lines = commands.flatMap(({ examples }) => examples ?? []);
  if (lines.length === 0) return [];
  return [section("EXAMPLES", `.nf\n${lines.map(text).join("\n")}\n.fi`)];
}

function seeAlso({ commands }: Program, command?: Command): string {
  const others = commands.filter((other) => other !== command)
    .map(({ name }) => `ciso-${name}`);
  return [...command ? ["ciso"] : [], ...others]
    .map((name, i, { length }) =>
      `.BR ${text(name)} (1)${i < length - 1 ? " ," : ""}`
    ).join("\n");
}

/** Paragraphs; lines that begin with blanks stay as they are. */
function paragraphs(about: string): string {
  return about.split("\n\n").map((paragraph) => {
    const lines: string[] = [];
    let plain = false;
    for (const line of paragraph.split("\n")) {
      const isPlain = /^\s/.test(line);
      if (isPlain !== plain) lines.push(isPlain ? ".nf" : ".fi");
      plain = isPlain;
      lines.push(text(line));
    }
    if (plain) lines.push(".fi");
    return lines.join("\n");
  }).join("\n.PP\n");
}

/** Signs that not every terminal's font has, by ones that it has. */
const PLAIN = new Map([["…", "..."], ["✂", "ciso"]]);

/** Text in which no character means anything to roff. */
function text(plain: string): string {
  return plain.replace(/[…✂]/g, (sign) => PLAIN.get(sign)!)
    .replaceAll("\\", "\\e").replaceAll("-", "\\-")
    .replace(/^[.']/, "\\&$&")
    .replace(
      /[^\x20-\x7e]/gu,
      (sign) =>
        `\\[u${
          sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")
        }]`,
    );
}
