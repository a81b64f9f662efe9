import { shown } from "../errors/shown.ts";
import type { Command, Program } from "./command.ts";
import { bashCompletions } from "./complete_bash.ts";
import { fishCompletions } from "./complete_fish.ts";
import { zshCompletions } from "./complete_zsh.ts";
import { printText } from "./say.ts";
import { UsageError } from "./usage_error.ts";

const SHELLS = new Map<string, (program: Program) => string>([
  ["bash", bashCompletions],
  ["zsh", zshCompletions],
  ["fish", fishCompletions],
]);

/** `ciso completions`. */
export const completionsCommand: Command = {
  name: "completions",
  summary: "print a script that completes ciso's words in a shell",
  usage: [`completions ${[...SHELLS.keys()].join("|")}`],
  about:
    `Source the script where the shell starts, or keep it where the shell looks for
such scripts:
  bash   source <(ciso completions bash), in ~/.bashrc
  zsh    ciso completions zsh > DIR/_ciso, with DIR in fpath before compinit
  fish   ciso completions fish > ~/.config/fish/completions/ciso.fish`,
  options: [],
  words: [...SHELLS.keys()],
  run({ words }, program) {
    const [shell] = words;
    const make = words.length === 1 ? SHELLS.get(shell!) : undefined;
    if (!make) {
      const given = words.length === 1 ? `, not ${shown(shell)}` : "";
      throw new UsageError(
        `ciso completions takes one of ${
          [...SHELLS.keys()].join(", ")
        }${given}`,
      );
    }
    printText(make(program));
    return Promise.resolve();
  },
};
