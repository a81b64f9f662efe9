import { shown, shownList, shownWord } from "../errors/shown.ts";
import { host } from "../system/host.ts";
import { cleanUp } from "../system/leftovers.ts";
import { type Command, optionsOf, type Program } from "./command.ts";
import { PROGRAM } from "./commands.ts";
import { checkFiles } from "./check_files.ts";
import { EXIT, fail } from "./failure.ts";
import { longHelp, overview, shortHelp } from "./help.ts";
import { parseOptions } from "./options.ts";
import { printText } from "./say.ts";
import { UsageError } from "./usage_error.ts";
import { COMMIT_LINE } from "./version.ts";

/**
 * Runs the program.
 *
 * @param args The words after the program's name.
 * @returns The exit code. What goes wrong is said on standard error.
 */
export async function main(args: string[]): Promise<number> {
  const [first] = args;
  const named = PROGRAM.commands.find(({ name }) => name === first);
  const command = named ?? PROGRAM.commands[0]!;
  try {
    const rest = named ? args.slice(1) : args;
    return await run(command, rest, PROGRAM) ?? EXIT.done;
  } catch (error) {
    const help = named && named !== PROGRAM.commands[0]
      ? `ciso ${named.name} --help`
      : "ciso --help";
    return fail(error, help);
  } finally {
    cleanUp();
  }
}

/**
 * Says why the program ends before {@linkcode main} does; returns the exit code.
 *
 * @param error What no caller gets; it waits for what never comes unless given.
 */
export function stuck(
  error: unknown = "it waits for what never comes",
): number {
  cleanUp();
  return fail(error, "ciso --help");
}

async function run(
  command: Command,
  args: string[],
  program: Program,
): Promise<number | void> {
  const dashes = args.indexOf("--");
  const options = dashes < 0 ? args : args.slice(0, dashes);
  // Help comes even if the other words are wrong.
  if (options.includes("--help")) return printText(longHelp(command, program));
  if (options.includes("-h")) return printText(shortHelp(command, program));
  if (options.includes("-V") || options.includes("--version")) {
    const verbose = options.includes("-v") || options.includes("--verbose");
    const lines = [
      `ciso ${program.version}`,
      ...(verbose ? [COMMIT_LINE] : []),
    ];
    return printText(`${lines.join("\n")}\n`);
  }
  const isBare = args.length === 0 && command === program.commands[0];
  if (isBare && host.isTerminal(0) && !hasClassicUsage()) {
    return printText(overview(program));
  }
  const odd = args.find((word) => word.includes("\ufffd"));
  if (odd !== undefined) {
    throw new UsageError(
      `The word ${
        shown(odd)
      } is not UTF-8, and no runtime passes such a word ` +
        "on: give the file another name, or - and its content on standard input",
    );
  }
  const parsed = parseOptions(
    args,
    optionsOf(command),
    (form, word) => meaningOf(form, word, program),
  );
  const started = host.afterStart();
  host.onSignal((code) => {
    cleanUp();
    host.exit(code);
  });
  checkFiles(command, parsed, program);
  await started;
  return await command.run(parsed, program);
}

/** What a word could mean that begins as an option which the command lacks. */
function meaningOf(
  form: string,
  word: string,
  { commands }: Program,
): string | undefined {
  if (host.exists(word)) return `write ./${shownWord(word)} for that file`;
  const others = commands.filter((other) =>
    form.startsWith("--") &&
    other.options.some(({ name }) => form === `--${name}`)
  );
  if (others.length === 0) return undefined;
  return `it is an option of ${
    shownList(others, 3, (other) => `ciso ${(other as Command).name}`)
  }`;
}

/** Whether the environment says what the image is, as in 2015. */
function hasClassicUsage(): boolean {
  return ["NAME", "COMMAND"].some((name) => host.env(name) !== undefined);
}
