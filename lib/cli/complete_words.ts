import type { Command, Program } from "./command.ts";

/**
 * What completions offer for the words of a command that are no options.
 *
 * @returns `undefined` for files.
 */
export function wordChoices(
  { words = "files" }: Command,
  { commands, topics }: Program,
): readonly string[] | undefined {
  if (words === "files") return undefined;
  if (words !== "commands") return words;
  return [...commands, ...topics].map(({ name }) => name);
}

/** The start of a help text that a menu has room for. */
export function briefly(help: string): string {
  return help.split(/[;:] /)[0]!;
}
