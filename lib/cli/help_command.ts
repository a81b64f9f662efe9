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
  usage: ["help [COMMAND|TOPIC]"],
  about: "Without a word it lists the commands and the topics.",
  options: [],
  words: "commands",
  examples: ["ciso help export", "ciso help exit-codes"],
  run({ words }, program) {
    if (words.length > 1) {
      throw new UsageError("ciso help takes one command or topic");
    }
    printText(helpOn(words[0], program));
    return Promise.resolve();
  },
};

function helpOn(word: string | undefined, program: Program): string {
  if (word === undefined) return overview(program);
  const { commands, topics } = program;
  const command = commands.find(({ name }) => name === word);
  if (command) return longHelp(command, program);
  const topic = topics.find(({ name }) => name === word);
  if (topic) return topicHelp(topic);
  const names = [...commands, ...topics].map(({ name }) => name);
  const meant = nearestWord(word, names);
  throw new UsageError(
    `There is no command or topic ${shown(word)}${
      meant ? `: did you mean ${meant}?` : `: there are ${names.join(", ")}`
    }`,
  );
}
