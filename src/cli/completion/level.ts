import { type Argument, type Command, Help, type Option } from "commander";
import { jobStates } from "../../job/job.ts";
import { type Leaf, valueAt } from "../../fields/field.ts";
import { jobLeaves } from "../../fields/job-table.ts";
import { stepLeaves } from "../../fields/step-table.ts";
import { sentSignals } from "../../job/signals.ts";
import { Command as StepSchema, JobSpec } from "../../job/spec.ts";

/** What may follow each command. The scripts of all shells are generated from it. */

export type Level = {
  command: string; // all words: "jobrunner token create"
  commands: { word: string; meaning: string }[];
  options: LevelOption[];
  arguments: LevelArgument[];
};

/** `value`: null if the option takes none. */
export type LevelOption = { words: string[]; meaning: string; value: Value | null };
export type LevelArgument = { name: string; value: Value; isVariadic: boolean };

/** The kind of a value decides what is offered for it. */
export type Value =
  | { kind: "choice"; words: readonly string[] }
  | { kind: "job"; isRunning: boolean }
  | { kind: "file" }
  | { kind: "folder" }
  | { kind: "program" } // everything after it is the command line of another program
  | { kind: "text" }; // nothing is offered

const help = new Help();

/** The levels of the command and its subcommands. */
export function levelsOf(command: Command): Level[] {
  const below = commandsBelow(command);
  const level: Level = {
    command: nameOf(command),
    commands: below.map((known) => ({ word: known.name(), meaning: known.description() })),
    options: help.visibleOptions(command).map(optionOf),
    arguments: command.registeredArguments.map((argument) => argumentOf(argument, command)),
  };
  return [level, ...below.flatMap(levelsOf)];
}

/** Without hidden commands, and without commander's own command `help`. */
export function commandsBelow(command: Command): Command[] {
  return help.visibleCommands(command).filter((known) => command.commands.includes(known));
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

function optionOf(option: Option): LevelOption {
  const [, name = ""] = /[<[](.+)[\]>]$/.exec(option.flags) ?? [];
  return {
    words: [option.short, option.long].filter((word) => word !== undefined),
    meaning: option.description,
    value: option.required || option.optional ? valueOf(name, option.argChoices ?? choicesOfField(option)) : null,
  };
}

function argumentOf(argument: Argument, command: Command): LevelArgument {
  const value = valueOf(argument.name(), argument.argChoices);
  const isRunning = ["attach", "kill"].includes(command.name()); // the other commands are mostly used for finished jobs
  return { name: argument.name(), value: value.kind === "job" ? { kind: "job", isRunning } : value, isVariadic: argument.variadic };
}

/** The kind of an argument follows from its name. */
function valueOf(name: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return { kind: "choice", words: choices };
  switch (name) {
    case "state":
      return { kind: "choice", words: jobStates };
    case "sent-signal":
      return { kind: "choice", words: sentSignals };
    case "id":
      return { kind: "job", isRunning: false };
    case "file":
    case "from":
    case "to":
      return { kind: "file" };
    case "dir":
      return { kind: "folder" };
    case "command":
      return { kind: "program" };
    default:
      return { kind: "text" };
  }
}

/** The values that the schema of a job allows for the option's field; undefined: the option is of no such field. */
function choicesOfField({ flags }: Option): string[] | undefined {
  const choicesIn = (leaves: Leaf[], schema: object): unknown => {
    const leaf = leaves.find(({ field }) => field.option.flags === flags);
    return leaf === undefined ? undefined : valueAt(schema, `properties.${leaf.path}.enum`);
  };
  const choices = choicesIn(jobLeaves, JobSpec) ?? choicesIn(stepLeaves, StepSchema);
  return Array.isArray(choices) ? choices.map(String) : undefined;
}

/** The arguments of `jobrunner ps` that list the jobs to offer. If the service is away, nothing is offered and no error shown. */
export function listOptions({ isRunning }: { isRunning: boolean }): string {
  return isRunning ? "" : " -a";
}
