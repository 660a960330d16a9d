import { type ChoiceField, type LeafField, type Leaf, longOf, type Option, isObject } from "../fields/field.ts";
import { jobLeaves } from "../fields/job-table.ts";
import { parseEnvFile } from "./env-file.ts";
import type { TypedOption } from "./job-options.ts";
import type { Session } from "./session.ts";
import { readText } from "./typed-text.ts";
import { UsageError } from "./usage-error.ts";
import { pair } from "./values.ts";

/** The value of a field, from the options that were typed for it. */

/** `before`: the value that the options add to. */
type Reading = { field: LeafField; options: TypedOption[]; before: unknown };

/** Undefined where nothing was typed. */
export async function readField(session: Session, { field, options, before }: Reading): Promise<unknown> {
  const values = valuesOf(options, field.option);
  const texts = values.map(String);
  const last = values.at(-1);
  switch (field.kind) {
    case "list":
      return last === undefined ? undefined : texts;
    case "items":
      return last === undefined ? undefined : texts.map((text) => field.parse(text) ?? refuse(field, text));
    case "map":
      return merged(
        before,
        texts.map((text) => pair(text) ?? refuse(field, text)),
      );
    case "variables":
      return merged(before, [
        ...(await variablesOfFiles(session, { option: field.fileOption, files: valuesOf(options, field.fileOption).map(String) })),
        ...texts.map((text) => pair(text) ?? ownVariable(session, { option: field.option, name: text })),
      ]);
    case "secrets":
      return merged(before, await Promise.all(texts.map(async (text) => await secretOf(session, { option: field.option, text }))));
    case "contents":
      return last === undefined ? undefined : await readText(session.stdin, { option: longOf(field.option), file: String(last) });
    case "choice":
      return last === undefined ? undefined : choiceOf(field, String(last));
    case "text":
    case "seconds":
    case "bytes":
    case "number":
    case "integer":
    case "flag":
      return last;
  }
}

/** A choice in any case, and a signal also without its SIG. The service refuses other words, and says which ones there are. */
function choiceOf({ choices }: ChoiceField, text: string): string {
  const word = text.toLowerCase();
  return choices.map(([value]) => value).find((value) => [word, `sig${word}`].includes(value.toLowerCase())) ?? text;
}

/** Whether an option belongs to one of the fields. */
export function isOptionOf(leaves: Leaf[], option: string): boolean {
  return leaves.some(({ field }) => longOf(field.option) === option || (field.kind === "variables" && longOf(field.fileOption) === option));
}

export function refuseStdinTwice({ file, options }: { file: string | undefined; options: TypedOption[] }): void {
  const files = jobLeaves.flatMap(({ field }): (string | undefined)[] => {
    const texts = valuesOf(options, field.option).map(String);
    if (field.kind === "contents") return texts.slice(-1);
    if (field.kind === "variables") return valuesOf(options, field.fileOption).map(String);
    return field.kind === "secrets" ? texts.map((text) => pair(text)?.[1]) : [];
  });
  if ([file, ...files].filter((name) => name === "-").length > 1)
    throw new UsageError("standard input (-) can be used for one option only");
}

function valuesOf(options: TypedOption[], option: Option): TypedOption["value"][] {
  return options.filter((typed) => typed.option === longOf(option)).map(({ value }) => value);
}

function refuse({ option, expected }: { option: Option; expected: string }, text: string): never {
  throw new UsageError(`${longOf(option)} ${text}: give ${expected}`);
}

/** Undefined where nothing was typed, so that what stands in a file stays, whatever it is. */
function merged(before: unknown, typed: [string, string][]): object | undefined {
  if (typed.length === 0) return undefined;
  return { ...(isObject(before) ? before : {}), ...Object.fromEntries(typed) };
}

async function variablesOfFiles(session: Session, { option, files }: { option: Option; files: string[] }): Promise<[string, string][]> {
  const ofFiles = files.map(async (file) =>
    parseEnvFile(await readText(session.stdin, { option: longOf(option), file }), {
      what: `${longOf(option)} ${JSON.stringify(file)}`,
      environment: session.environment,
    }),
  );
  return (await Promise.all(ofFiles)).flat();
}

/** No value of a secret is ever typed, since others see argument vectors. The newline that ends a file is not the secret's. */
async function secretOf(session: Session, { option, text }: { option: Option; text: string }): Promise<[string, string]> {
  const [name, file] = pair(text) ?? [];
  if (name === undefined || file === undefined) return ownVariable(session, { option, name: text });
  return [name, (await readText(session.stdin, { option: longOf(option), file })).replace(/\r?\n$/, "")];
}

function ownVariable({ environment }: Session, { option, name }: { option: Option; name: string }): [string, string] {
  const value = environment[name];
  if (value !== undefined) return [name, value];
  throw new UsageError(`${longOf(option)} ${name}: this environment has no such variable`);
}
