import { type Level, listOptions, type Value } from "./level.ts";
import { quoted } from "../../lib/quoted.ts";

/** For bash 4.4 and newer, with or without the package bash-completion. Bash shows no descriptions. */
export function bashScript(levels: Level[]): string {
  return `# bash completion for jobrunner: "jobrunner completion bash" prints it.
_jobrunner() {
  local command=jobrunner current=\${COMP_WORDS[COMP_CWORD]} value= rest= cut= arguments=0 word
  # Bash cuts words at "=" and ":", as in --url=http://localhost -e LEVEL=3.
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $rest ]]; then
      ((arguments++))
    elif [[ $cut ]]; then
      cut=
    elif [[ $word == [=:] && ! $value ]]; then
      cut=1
    elif [[ $value ]]; then
      [[ $word == "=" ]] || value=
    elif [[ $word == -- ]]; then
      rest=1
    else
      case "$command $word" in
${cases(levels.flatMap(casesAfterWord))}
        *) [[ $word == -?* ]] || ((arguments++)) ;;
      esac
    fi
  done

  if [[ $value || $cut || $current == [=:] ]]; then
    [[ $current != "=" ]] || current=
  elif [[ $current == -* && ! $rest ]]; then
    case $command in
${cases(levels.map(({ command, options }) => [quoted(command), `value=${quoted(choice(options.flatMap(({ words }) => words)))}`]))}
    esac
  else
    case "$command $arguments" in
${cases(levels.flatMap(casesOfArguments))}
    esac
  fi

  COMPREPLY=()
  case $value in
    choice*) mapfile -t COMPREPLY < <(compgen -W "\${value#choice}" -- "$current") ;;
    jobs*) mapfile -t COMPREPLY < <(compgen -W "$(jobrunner ps -q \${value#jobs} 2>/dev/null)" -- "$current") ;;
    program) mapfile -t COMPREPLY < <(compgen -c -- "$current") ;;
    folder) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    file) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
  esac
  [[ $value != @(folder|file) ]] || compopt -o filenames 2>/dev/null
}
complete -o nosort -F _jobrunner jobrunner
`;
}

type Case = [pattern: string, commands: string];

function cases(all: Case[]): string {
  const patterns = Map.groupBy(all, ([, commands]) => commands);
  return [...patterns].map(([commands, same]) => `        ${same.map(([pattern]) => pattern).join(" | ")}) ${commands} ;;`).join("\n");
}

function casesAfterWord({ command, commands, options, arguments: [first] }: Level): Case[] {
  const deeper = commands.map(({ word }): Case => [quoted(`${command} ${word}`), `command+=" $word"`]);
  const valued = options.flatMap(({ words, value }) =>
    value === null ? [] : words.map((word): Case => [quoted(`${command} ${word}`), `value=${quoted(wordsOf(value))}`]),
  );
  const program: Case[] = first?.value.kind === "program" ? [[`${quoted(`${command} `)}[!-]*`, "rest=1 arguments=1"]] : [];
  return [...deeper, ...valued, ...program];
}

function casesOfArguments({ command, commands, arguments: all }: Level): Case[] {
  if (commands.length > 0) return [[quoted(`${command} 0`), `value=${quoted(choice(commands.map(({ word }) => word)))}`]];
  return all.flatMap(({ value, isVariadic }, index): Case[] => {
    const assignment = `value=${quoted(wordsOf(value))}`;
    const later = `${quoted(`${command} `)}*`;
    if (value.kind === "program")
      return [
        [quoted(`${command} ${index}`), assignment],
        [later, "value=file"],
      ];
    return [[isVariadic ? later : quoted(`${command} ${index}`), assignment]];
  });
}

function wordsOf(value: Value): string {
  if (value.kind === "choice") return choice(value.words);
  return value.kind === "job" ? `jobs${listOptions(value)}` : value.kind;
}

function choice(words: readonly string[]): string {
  return `choice ${words.join(" ")}`;
}
