import { shown, shownWord } from "../errors/shown.ts";
import { imagePath } from "../read/image_path.ts";
import { host } from "../system/host.ts";
import { choiceOf, type Command, optionsOf, type Program } from "./command.ts";
import { checkOrder, checkTransport } from "./foreign_words.ts";
import { nearestWord } from "./nearest_word.ts";
import type { Parsed } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Checks the files that a command line names before any is opened: that each
 * input is a file and no name of an image elsewhere, and that the output is not
 * one of the inputs.
 *
 * @throws {UsageError} If not; the message says what to do instead.
 */
export function checkFiles(
  command: Command,
  parsed: Parsed,
  program: Program,
): void {
  if ((command.words ?? "files") !== "files") return;
  const { words } = parsed;
  const isFirst = command === program.commands[0];
  if (isFirst && words[0] !== undefined) checkCommand(words[0], program);
  if (command.name === "push" && words[1] !== undefined) {
    checkOrder(words[0]!, words[1]);
  }
  // The others are no files of this machine: a reference, files in the image.
  const inputs = FIRST_ALONE.has(command.name) ? words.slice(0, 1) : words;
  // Of one word of push nobody knows which one is missing.
  const isHalf = command.name === "push" && words.length < 2;
  if (!isHalf) {
    for (const word of inputs) {
      checkTransport(word, command.name);
    }
  }
  const files = optionsOf(command).filter((option) =>
    option.name !== "output" && choiceOf(option).kind === "files"
  ).flatMap(({ name }) => parsed.values(name));
  for (const file of files) checkTransport(file, "convert");
  checkOutput(command, parsed, [...words, ...files]);
}

/** Commands of whose words the first one alone is a file. */
const FIRST_ALONE = new Set(["push", "cat"]);

/** A word that is neither a file nor a command, but looks like a command. */
function checkCommand(word: string, { commands }: Program): void {
  if (!/^[a-z][a-z-]*$/.test(word) || host.exists(word)) return;
  const meant = nearestWord(word, commands.map(({ name }) => name));
  throw new UsageError(
    `There is no command and no file ${shown(word)}${
      meant ? `: did you mean ciso ${meant}?` : "; ciso help lists the commands"
    }`,
  );
}

/** The options that name a file to be written, and how messages write them. */
const OUTPUTS = [["output", "-o"], ["html", "--html"]] as const;

/**
 * Refuses an output that is one of the inputs, or of the files of a directory
 * with an image, whatever path leads there.
 */
function checkOutput(command: Command, parsed: Parsed, words: string[]): void {
  const [name, flag] =
    OUTPUTS.find(([name]) =>
      command.options.some((option) => option.name === name)
    ) ?? [];
  // Without -o there is an archive on standard output, without --html no page.
  if (
    name === undefined || name === "html" && parsed.value(name) === undefined
  ) return;
  const output = parsed.value(name) ?? "-";
  const place = host.fileIdentity(output === "-" ? 1 : output);
  if (place === undefined) return;
  const inputs = words.length > 0 ? words : ["-"];
  for (const word of inputs) {
    const { path } = imagePath(word, host.exists);
    // A rootfs may leave out the directory that its archive goes to.
    const isImage = command.name !== "build" || parsed.value("from") === word;
    const isPart = isImage && output !== "-" && host.isDirectory(path) &&
      host.isBelow(output, path);
    const isSame = host.fileIdentity(path === "-" ? 0 : path) === place;
    if (!isSame && !isPart) continue;
    throw new UsageError(
      `The output is ${isPart ? "a file of " : ""}the input ${
        path === "-" ? "on standard input" : shownWord(path)
      }: give another file with ${flag}`,
    );
  }
}
