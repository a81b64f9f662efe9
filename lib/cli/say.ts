import { escaped, escapedJson } from "../errors/shown.ts";
import { host } from "../system/host.ts";

/** Characters of one message at most; what foreign text it has is cut before. */
const LONGEST = 8000;

/**
 * Prints a message on standard error. All messages of the program go through
 * here: no control character gets to the terminal, whatever a message quotes.
 *
 * @param message One sentence, or several lines.
 */
export function say(message: string): void {
  const cut = message.length > LONGEST
    ? `${message.slice(0, LONGEST)}…`
    : message;
  host.print(`ciso: ${cut.split("\n").map(escaped).join("\n")}\n`);
}

/** Points to the help after a {@linkcode say}. */
export function sayHint(hint: string): void {
  host.print(`${escaped(hint)}\n`);
}

/** Prints lines for people on standard output, as {@linkcode say} does. */
export function printLines(lines: Iterable<string>): void {
  const text = [...lines].map((line) => `${escaped(line)}\n`).join("");
  if (text !== "") host.print(text, 1);
}

/** An object of `--json`; its version grows when a member changes its meaning. */
export interface Versioned {
  version: number;
}

/**
 * Prints an object as one line of JSON, for programs. Characters that a terminal
 * acts on are escaped as JSON has it.
 *
 * @param fd Standard output, unless that is taken.
 */
export function printJson<T extends Versioned>(
  value: T,
  fd: 1 | 2 = 1,
): void {
  host.print(`${escapedJson(value)}\n`, fd);
}

/** Prints a text of the program itself, such as help, on standard output. */
export function printText(text: string): void {
  host.print(text, 1);
}
