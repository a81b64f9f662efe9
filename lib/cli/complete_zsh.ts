import { choiceOf, type Command, optionsOf, type Program } from "./command.ts";
import { briefly, wordChoices } from "./complete_words.ts";
import type { Option } from "./options.ts";

/**
 * The completions for zsh.
 *
 * @returns A script to be sourced, or to be saved as `_ciso` in `fpath`.
 */
export function zshCompletions(program: Program): string {
  const { commands } = program;
  const names = commands.map(({ name }) => name);
  return `#compdef ciso ✂
# Completions of ciso for zsh: source <(ciso completions zsh)
_ciso() {
    local -a commands=(
${
    commands.map(({ name, summary }) =>
      `        ${quoted(`${name}:${summary.replaceAll(":", "\\:")}`)}`
    ).join("\n")
  }
    )
    local command=${names[0]}
    local curcontext=$curcontext
    if ((CURRENT > 2)) && [[ $words[2] == (${names.join("|")}) ]]; then
        command=$words[2]
        shift words
        ((CURRENT--))
    elif ((CURRENT == 2)) && [[ $PREFIX != -* ]]; then
        _describe -t commands command commands
        _files
        return
    fi
    case $command in
${commands.map((command) => commandCase(command, program)).join("\n")}
    esac
}
if [[ \${funcstack[1]} == _ciso ]]; then
    _ciso "$@"
else
    compdef _ciso ciso ✂
fi
`;
}

function commandCase(command: Command, program: Program): string {
  const words = wordChoices(command, program);
  const specs = [
    ...optionsOf(command).map(optionSpec),
    words ? quoted(`*:word:(${words.join(" ")})`) : quoted("*:file:_files"),
  ];
  return `        ${command.name})
            _arguments -s -S \\
                ${specs.join(" \\\n                ")}
            ;;`;
}

/** One option for _arguments: forms, help, and what its value is. */
function optionSpec(option: Option): string {
  const { name, short, value, help } = option;
  const text = `[${escapedSpec(briefly(help))}]`;
  if (!value) {
    return short
      ? `'*'{-${short},--${name}}${quoted(text)}`
      : quoted(`*--${name}${text}`);
  }
  const rest = `${text}:${escapedSpec(value)}:${actionOf(option)}`;
  return short
    ? `'*'{-${short}+,--${name}=}${quoted(rest)}`
    : quoted(`*--${name}=${rest}`);
}

function actionOf(option: Option): string {
  const choice = choiceOf(option);
  switch (choice.kind) {
    case "files":
      return "_files";
    case "one":
      return `(${choice.values.join(" ")})`;
    case "list":
      return `_values -s , ${option.name} ${choice.values.join(" ")}`;
    case "none":
      return " ";
  }
}

/** Text in which no character means anything to _arguments. */
function escapedSpec(text: string): string {
  return text.replace(/[\\:[\]]/g, "\\$&");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
