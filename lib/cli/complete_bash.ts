import { choiceOf, type Command, optionsOf, type Program } from "./command.ts";
import type { Option } from "./options.ts";
import { wordChoices } from "./complete_words.ts";

/**
 * The completions for bash 3.2 and newer.
 *
 * @returns A script to be sourced.
 */
export function bashCompletions(program: Program): string {
  const names = program.commands.map(({ name }) => name);
  const [first] = names;
  return `# Completions of ciso for bash: source <(ciso completions bash)
_ciso() {
    local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
    local command=${first} options= words= values= list= i
    local IFS=$' \\t\\n'
    COMPREPLY=()
    # An = parts a word in two.
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = && COMP_CWORD -gt 2 ]]; then
        prev=\${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ \${COMP_WORDS[i]} != -- ]] || return 0
    done
    if ((COMP_CWORD > 1)); then
        case \${COMP_WORDS[1]} in
            ${names.join(" | ")}) command=\${COMP_WORDS[1]} ;;
        esac
    fi
    case $command in
${program.commands.map((command) => commandCase(command, program)).join("\n")}
    esac
    case "$command $prev" in
${program.commands.flatMap(valueCases).join("\n")}
    esac
    if [[ $list ]]; then
        # Values with commas between: each once.
        local before= value
        [[ $cur != *,* ]] || before=\${cur%,*},
        for value in $list; do
            [[ ,$before == *,$value,* ]] || values+=" $before$value"
        done
        compopt -o nospace 2>/dev/null
    fi
    if [[ $values ]]; then
        COMPREPLY=($(compgen -W "$values" -- "$cur"))
    elif [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$cur"))
    else
        # No answer means files, see complete -o default.
        COMPREPLY=($(compgen -W "$words" -- "$cur"))
        if ((COMP_CWORD == 1)); then
            IFS=$'\\n'
            compopt -o filenames 2>/dev/null
            COMPREPLY+=($(compgen -f -- "$cur"))
        fi
    fi
}
complete -o default -F _ciso ciso ✂
`;
}

/** What a command's options and words are. */
function commandCase(command: Command, program: Program): string {
  const forms = optionsOf(command).flatMap(formsOf).join(" ");
  const words = wordChoices(command, program);
  const isFirst = command === program.commands[0];
  const names = program.commands.map(({ name }) => name);
  return `        ${command.name})
            options='${forms}'
            ${
    isFirst
      ? `((COMP_CWORD > 1)) || words='${names.join(" ")}'`
      : `words='${words?.join(" ") ?? ""}'`
  }
            ;;`;
}

/** What the values of a command's options are. */
function valueCases(command: Command): string[] {
  return optionsOf(command).filter(({ value }) => value).map((option) => {
    const patterns = formsOf(option).map((form) => `'${command.name} ${form}'`)
      .join(" | ");
    const choice = choiceOf(option);
    const action = choice.kind === "files"
      ? "return 0"
      : choice.kind === "none"
      ? "compopt +o default 2>/dev/null; return 0"
      : `${choice.kind === "list" ? "list" : "values"}='${
        choice.values.join(" ")
      }'`;
    return `        ${patterns}) ${action} ;;`;
  });
}

function formsOf({ name, short }: Option): string[] {
  return short ? [`-${short}`, `--${name}`] : [`--${name}`];
}
