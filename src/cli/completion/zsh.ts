import { type Level, type LevelArgument, type LevelOption, listOptions, type Value } from "./level.ts";
import { quoted } from "../../lib/quoted.ts";

/** For zsh 5: sourced after compinit, or as the file `_jobrunner` in a folder of the fpath. */
export function zshScript(levels: Level[]): string {
  return `#compdef jobrunner
# zsh completion for jobrunner: "jobrunner completion zsh" prints it.

# Jobs as the lines of a list; what is taken of one is how its ID begins.
_jobrunner-jobs() {
  local -a jobs=("\${(@f)$(jobrunner ps "$@" 2>/dev/null)}")
  shift jobs
  local -a lines=("\${(@r:COLUMNS-1:)jobs}") # longer ones would be broken
  compadd -V jobs -l -d lines - \${jobs%% *}
}

${levels.map((level) => (level.commands.length > 0 ? functionOfGroup(level) : functionOfCommand(level))).join("\n\n")}

# Loaded by its name, this file is the body of the function; sourced, it says what the function is for.
if [[ $funcstack[1] == _jobrunner ]]; then
  _jobrunner "$@"
else
  compdef _jobrunner jobrunner
fi
`;
}

/** Passes the rest of the line to the function of the command. */
function functionOfGroup({ command, commands, options }: Level): string {
  const name = functionName(command);
  return `${name}() {
  local curcontext=$curcontext state line
  local -A opt_args
  local -a below=(
${commands.map(({ word, meaning }) => `    ${quoted(`${word}:${meaning.replaceAll("\\", "\\\\")}`)}`).join("\n")}
  )
  _arguments -C -s -S : ${words([...options.flatMap(specificationsOf), "1:command:->command", "*:: :->rest"])}
  case $state in
    command) _describe command below ;;
    rest) (( ! $+functions[${name}_$line[1]] )) || ${name}_$line[1] ;;
  esac
}`;
}

function functionOfCommand({ command, options, arguments: all }: Level): string {
  return `${functionName(command)}() {
  _arguments -s -S : ${words([...options.flatMap(specificationsOf), ...all.flatMap(specificationsOfArgument)])}
}`;
}

function functionName(command: string): string {
  return `_${command.replaceAll(" ", "_")}`;
}

function words(specifications: string[]): string {
  return specifications.map((specification) => `\\\n    ${quoted(specification)}`).join(" ");
}

/** An option with a value may be repeated. The value is the next word, or follows "=" or a short name directly. */
function specificationsOf({ words: names, meaning, value }: LevelOption): string[] {
  const explanation = `[${meaning.replaceAll(/[\\[\]]/g, "\\$&")}]`;
  return names.map((name) => {
    if (value === null) return `(${names.join(" ")})${name}${explanation}`;
    return `*${name}${name.startsWith("--") ? "=" : "+"}${explanation}: :${actionOf(value)}`;
  });
}

function specificationsOfArgument({ name, value, isVariadic }: LevelArgument, index: number): string[] {
  // Everything after a program's name belongs to that program.
  if (value.kind === "program") return [`(-)${index + 1}:${name}:${actionOf(value)}`, `*::${name}:_normal`];
  return [`${isVariadic ? "*" : index + 1}:${name}:${actionOf(value)}`];
}

function actionOf(value: Value): string {
  switch (value.kind) {
    case "choice":
      return `(${value.words.join(" ")})`;
    case "job":
      return ` _jobrunner-jobs${listOptions(value)}`; // the blank stops zsh from adding its own options
    case "file":
      return "_files";
    case "folder":
      return "_files -/";
    case "program":
      return "_command_names -e";
    case "text":
      return " ";
  }
}
