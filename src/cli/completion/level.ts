import { type Argument, type Command, Help, type Option } from "commander";
import { jobStates } from "../../job/job.ts";
import { type Leaf, valueAt } from "../../fields/field.ts";
import { jobLeaves } from "../../fields/job-table.ts";
import { stepLeaves } from "../../fields/step-table.ts";
import { Command as StepSchema, JobSpec } from "../../job/spec.ts";

/** What may be typed after each command, as the scripts for the shells are made from it. */

export type Level = {
  command: string; // as it is typed: "jobrunner token create"
  commands: { word: string; meaning: string }[];
  options: LevelOption[];
  arguments: LevelArgument[];
};

/** `value`: null where it takes none. */
export type LevelOption = { words: string[]; meaning: string; value: Value | null };
export type LevelArgument = { name: string; value: Value; isVariadic: boolean };

/** What a value can be, and so what is offered for it. */
export type Value =
  | { kind: "choice"; words: readonly string[] }
  | { kind: "job"; isRunning: boolean }
  | { kind: "file" }
  | { kind: "folder" }
  | { kind: "program" } // all that follows is the command line of another one
  | { kind: "text" }; // nothing is offered

const help = new Help();

/** Of the command and all below it. */
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

/** Without those that help does not show, and commander's own command `help`. */
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
  const isRunning = ["attach", "kill"].includes(command.name()); // of what is finished, as a rule, others are asked
  return { name: argument.name(), value: value.kind === "job" ? { kind: "job", isRunning } : value, isVariadic: argument.variadic };
}

/** An argument's name says what it is. */
function valueOf(name: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return { kind: "choice", words: choices };
  switch (name) {
    case "state":
      return { kind: "choice", words: jobStates };
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

/** What `jobrunner ps` is asked with for the jobs that may be meant. Where the service is away nothing is offered, and nothing said. */
export function listOptions({ isRunning }: { isRunning: boolean }): string {
  return isRunning ? "" : " -a";
}
