import { type Level, type LevelOption, listOptions, type Value } from "./level.ts";

/** For fish 3.1 and newer: sourced, or as the file `jobrunner.fish` in a folder of completions. */
export function fishScript(levels: Level[]): string {
  return `# fish completion for jobrunner: "jobrunner completion fish" prints it.

# The command that has been typed, then its arguments.
function __jobrunner_typed
  set -l command jobrunner
  set -l arguments
  set -l value
  set -l rest
  for word in (commandline -opc)[2..-1]
    if test -n "$rest"
      set -a arguments $word
    else if test -n "$value"
      set value
    else if test "$word" = --
      set rest yes
    else
      switch "$command $word"
        case ${levels.flatMap(({ command, commands }) => commands.map(({ word }) => quoted(`${command} ${word}`))).join(" ")}
          set command "$command $word"
        case ${levels.flatMap(wordsBeforeValues).map(quoted).join(" ")}
          set value follows
        case '*'
          if not string match -qr -- '^-.' $word
            set -a arguments $word
            contains -- $command ${levels
              .filter(runsProgram)
              .map(({ command }) => quoted(command))
              .join(" ")}
            and set rest yes
          end
      end
    end
  end
  printf '%s\\n' $command $arguments
end

# Whether this command has been typed, and so many arguments.
function __jobrunner_at
  set -l typed (__jobrunner_typed)
  test "$typed[1]" = $argv[1]
  and begin
    not set -q argv[2]
    or test (count $typed[2..-1]) -eq $argv[2]
  end
end

# Jobs as a list has them: how an ID begins, and the rest of its line.
function __jobrunner_jobs
  jobrunner ps $argv 2>/dev/null | string match -rv '^ID ' | string replace -r '^(\\S+)\\s+' '$1\\t'
end

# What the other program takes, or its name, which is no option.
function __jobrunner_program
  set -l words (__jobrunner_typed)[2..-1] (commandline -ct)
  string match -q -- '-*' $words[1]
  or __fish_complete_subcommand --commandline $words
end

complete -c jobrunner -f
${levels.flatMap(linesOf).join("\n")}
`;
}

function runsProgram({ arguments: [first] }: Level): boolean {
  return first?.value.kind === "program";
}

function wordsBeforeValues({ command, options }: Level): string[] {
  return options.flatMap(({ words, value }) => (value === null ? [] : words.map((word) => `${command} ${word}`)));
}

function linesOf(level: Level): string[] {
  const { command, commands, options, arguments: all } = level;
  return [
    ...commands.map(({ word, meaning }) => line([command, 0], ["-a", quoted(word), "-d", quoted(meaning)])),
    // After a program's name, all options belong to that program.
    ...options.map((option) => line(runsProgram(level) ? [command, 0] : [command], optionParts(option))),
    ...all.map(({ value, isVariadic }, index) => line(isVariadic ? [command] : [command, index], offered(value))),
  ];
}

function line(at: (string | number)[], parts: string[]): string {
  const condition = ["__jobrunner_at", ...at.map((part) => (typeof part === "string" ? quoted(part) : part))].join(" ");
  return `complete -c jobrunner -n ${JSON.stringify(condition)} ${parts.join(" ")}`;
}

function optionParts({ words, meaning, value }: LevelOption): string[] {
  const names = words.flatMap((word) => (word.startsWith("--") ? ["-l", word.slice(2)] : ["-s", word.slice(1)]));
  return [...names, ...(value === null ? [] : ["-r", ...offered(value)]), "-d", quoted(meaning)];
}

function offered(value: Value): string[] {
  switch (value.kind) {
    case "choice":
      return ["-f", "-a", quoted(value.words.join(" "))];
    case "job":
      return ["-f", "-k", "-a", quoted(`(__jobrunner_jobs${listOptions(value)})`)];
    case "file":
      return ["-F"];
    case "folder":
      return ["-f", "-a", quoted("(__fish_complete_directories)")];
    case "program":
      return ["-f", "-a", quoted("(__jobrunner_program)")];
    case "text":
      return ["-f"];
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
}
