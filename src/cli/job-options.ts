import { type Command, Option } from "commander";
import { type LeafField, longOf, type Option as FieldOption } from "../fields/field.ts";
import { jobTable, jobLeaves } from "../fields/job-table.ts";
import { stepLeaves } from "../fields/step-table.ts";
import { bytes, number, seconds, wholeNumber } from "./values.ts";

/** The options of a job: one for each row of the tables of fields. */

/** An option as it was typed, by its long form. */
export type TypedOption = { option: string; value: string | number | true };

export const stepOption = longOf(jobTable.Commands.option);

/** Adds the options of a job and its steps. Gives what is typed of them, in that order, once the command is parsed. */
export function addJobOptions(command: Command): TypedOption[] {
  const typed: TypedOption[] = [];
  const added = new Set<string>();
  const add = (option: FieldOption, parse: AddedOption["parse"] = String): void => {
    if (added.has(option.flags)) return; // the job's option is the step's too
    added.add(option.flags);
    addOption(command, { option, typed, parse });
  };
  const addAll = (fields: LeafField[]): void => {
    for (const field of fields) {
      add(field.option, parserOf(field));
      if (field.kind === "variables") add(field.fileOption);
    }
  };
  addAll(jobLeaves.map(({ field }) => field));
  const fieldsOfSteps = stepLeaves.map(({ field }) => field);
  command.optionsGroup("Of a step:");
  add(jobTable.Commands.option);
  addAll(fieldsOfSteps.filter(({ place }) => place !== "container"));
  command.optionsGroup("Of a step in a container:");
  addAll(fieldsOfSteps.filter(({ place }) => place === "container"));
  return typed;
}

type AddedOption = { option: FieldOption; typed: TypedOption[]; parse: (text: string) => string | number };

function addOption(command: Command, { option, typed, parse }: AddedOption): void {
  const own = new Option(option.flags, option.help);
  let value: TypedOption["value"] = true;
  if (own.required) own.argParser((text) => (value = parse(text)));
  command.addOption(own);
  // commander calls this each time that the option is typed, after the parser.
  command.on(`option:${own.name()}`, () => void typed.push({ option: longOf(option), value }));
}

function parserOf({ kind }: LeafField): (text: string) => string | number {
  switch (kind) {
    case "seconds":
      return seconds;
    case "bytes":
      return bytes;
    case "number":
      return number;
    case "integer":
      return wholeNumber;
    case "text":
    case "contents":
    case "flag":
    case "choice":
    case "list":
    case "map":
    case "variables":
    case "secrets":
    case "items":
      return String;
  }
}
