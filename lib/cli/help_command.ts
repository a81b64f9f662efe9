import { manualName, manualPage } from "./manual.ts";
import type { Command, Program } from "./command.ts";
import { longHelp, overview, topicHelp } from "./help.ts";
import { shown } from "../errors/shown.ts";
import { nearestWord } from "./nearest_word.ts";
import { printText } from "./say.ts";
import { UsageError } from "./usage_error.ts";

/** `ciso help`. */
export const helpCommand: Command = {
  name: "help",
  summary: "explain a command or a topic",
  usage: ["help [COMMAND|TOPIC]", "help --man [COMMAND] [-o DIR]"],
  about:
    `Without a word it lists the commands and the topics. With --man it prints a page
of the manual for man -l; with -o it writes all pages to a directory, such as
~/.local/share/man/man1.`,
  options: [
    {
      name: "man",
      help: "print a page of the manual, of ciso or of a command",
    },
    {
      name: "output",
      short: "o",
      value: "DIR",
      help: "write all pages of the manual to this directory, which exists",
    },
  ],
  words: "commands",
  examples: [
    "ciso help export",
    "ciso help exit-codes",
    "ciso help --man build | man -l -",
  ],
  async run(parsed, program) {
    const { words } = parsed;
    const directory = parsed.value("output");
    if (words.length > 1 || (words.length > 0 && directory !== undefined)) {
      throw new UsageError("ciso help takes one command or topic");
    }
    if (directory !== undefined) {
      if (!parsed.on("man")) throw new UsageError("-o goes with --man");
      await writeManual(directory, program);
    } else if (parsed.on("man")) {
      const [word] = words;
      const command = program.commands.find(({ name }) => name === word);
      if (word !== undefined && !command) throw noSuch(word, program.commands);
      printText(manualPage(program, command));
    } else printText(helpOn(words[0], program));
  },
};

/** Writes all pages of the manual. */
async function writeManual(directory: string, program: Program): Promise<void> {
  const { writeOutput } = await import("./output.ts");
  for (const command of [undefined, ...program.commands]) {
    const page = new Blob([manualPage(program, command)]);
    await writeOutput(page.stream(), `${directory}/${manualName(command)}`);
  }
}

function helpOn(word: string | undefined, program: Program): string {
  if (word === undefined) return overview(program);
  const { commands, topics } = program;
  const command = commands.find(({ name }) => name === word);
  if (command) return longHelp(command, program);
  const topic = topics.find(({ name }) => name === word);
  if (topic) return topicHelp(topic);
  throw noSuch(word, [...commands, ...topics]);
}

function noSuch(
  word: string,
  pages: readonly { name: string }[],
): UsageError {
  const names = pages.map(({ name }) => name);
  const meant = nearestWord(word, names);
  return new UsageError(
    `There is no command or topic ${shown(word)}${
      meant ? `: did you mean ${meant}?` : `: there are ${names.join(", ")}`
    }`,
  );
}
