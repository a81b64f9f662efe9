import { choiceOf, type Command, optionsOf, type Program } from "./command.ts";
import { briefly, wordChoices } from "./complete_words.ts";
import type { Option } from "./options.ts";

/**
 * The completions for fish.
 *
 * @returns A script to be sourced, or to be saved as `completions/ciso.fish`.
 */
export function fishCompletions(program: Program): string {
  const { commands } = program;
  const names = commands.map(({ name }) => name);
  return `# Completions of ciso for fish: ciso completions fish | source
function __ciso_command
    set -l words (commandline -opc)
    if test (count $words) -gt 1; and contains -- $words[2] ${names.join(" ")}
        echo $words[2]
    else
        echo ${names[0]}
    end
end

function __ciso_is
    test (__ciso_command) = $argv[1]; and not contains -- -- (commandline -opc)
end

# Values with commas between: each once.
function __ciso_list
    set -l token (commandline -ct | string replace -r '^--[^=]*=' '')
    set -l before (string match -r '^.*,' -- $token)
    for value in $argv
        contains -- $value (string split , -- "$before"); or echo "$before$value"
    end
end

complete -c ciso -e
${
    commands.map(({ name, summary }) =>
      `complete -c ciso -n 'test (count (commandline -opc)) -eq 1' ` +
      `-a ${name} -d ${quoted(summary)}`
    ).join("\n")
  }
${commands.map((command) => commandLines(command, program)).join("\n")}
complete -c ✂ -w ciso
`;
}

function commandLines(command: Command, program: Program): string {
  const start = `complete -c ciso -n '__ciso_is ${command.name}'`;
  const words = wordChoices(command, program);
  return [
    ...optionsOf(command).map((option) => `${start} ${optionWords(option)}`),
    ...words ? [`${start} -f -a ${quoted(words.join(" "))}`] : [],
  ].join("\n");
}

function optionWords(option: Option): string {
  const { name, short, help } = option;
  return [
    ...short ? ["-s", short] : [],
    ...["-l", name],
    ...valueWords(option),
    ...["-d", quoted(briefly(help))],
  ].join(" ");
}

/** Whether it has a value, and which ones there are. */
function valueWords(option: Option): string[] {
  if (!option.value) return [];
  const choice = choiceOf(option);
  switch (choice.kind) {
    case "files":
      return ["-r", "-F"];
    case "one":
      return ["-x", "-a", quoted(choice.values.join(" "))];
    case "list":
      return ["-x", "-a", quoted(`(__ciso_list ${choice.values.join(" ")})`)];
    case "none":
      return ["-x"];
  }
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
