import { isatty, process } from "./node.ts";

const ENTER = "\r\n\x04";
const INTERRUPT = "\x03";
const BACKSPACE = "\x7f\b";

/**
 * Asks for a password on the terminal and shows nothing of it. (promptSecret of
 * `@std/cli` does that under Deno alone.)
 *
 * @param question What is shown.
 * @returns What was typed; `undefined` where there is no terminal, or the user
 * gives none.
 */
export async function askSecret(question: string): Promise<string | undefined> {
  const { stdin, stderr } = process();
  if (!isatty(0) || !isatty(2)) return undefined;
  // Before the question: what is typed at once must not be shown either.
  stdin.setRawMode(true);
  stderr.write(question);
  stdin.resume();
  let text = "";
  try {
    return await new Promise((resolve) => {
      stdin.on("data", (bytes) => {
        for (const character of bytes.toString()) {
          if (character === INTERRUPT) {
            stdin.setRawMode(false);
            process().kill(process().pid, "SIGINT");
            // The signal ends the program, unless somebody waits for it.
            return void setTimeout(() => resolve(undefined), 1000);
          }
          if (ENTER.includes(character)) return resolve(text || undefined);
          if (BACKSPACE.includes(character)) {
            text = [...text].slice(0, -1).join("");
          } else text += character;
        }
      });
    });
  } finally {
    stdin.removeAllListeners("data");
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}
