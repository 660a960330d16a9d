/** What a row of the tables of fields says: of which kind a field is, and how the command line and the page offer it. */

export type Option = { flags: string; help: string };

/** Where the page shows a field. `own`: one of its components places it by name; all others are shown by themselves. */
type Place = "own" | "first" | "more" | "container";

type Shown = {
  option: Option;
  place: Place;
  /** On the page. */
  label: string;
  hint?: string;
  placeholder?: string;
};

type TextField = Shown & { kind: "text"; isMono?: boolean; isLong?: boolean };
/** A text that the command line reads from a file. */
type ContentsField = Shown & { kind: "contents" };
/** The command line knows units of durations and sizes; the API and the page count seconds and bytes. */
type NumberField = Shown & { kind: "seconds" | "bytes" | "number" | "integer" };
type FlagField = Shown & { kind: "flag" };
/** `choices`: values with their words for people. `otherwise`: the words for no value. */
export type ChoiceField<Value extends string = string> = Shown & {
  kind: "choice";
  choices: [value: Value, words: string][];
  otherwise: string;
};
/** Texts, each by an option of its own, and a line of its own on the page. */
type ListField = Shown & { kind: "list" };
/** Names with values. `what`: one of them. `expected`: the end of a sentence about an option that is none of them. */
type MapField = Shown & { kind: "map"; what: string; expected: string };
/** Names with values that the command line also copies from its environment and reads from files. */
type VariablesField = Shown & { kind: "variables"; what: string; fileOption: Option };
/** Names with values that no command line and no page may show. */
type SecretsField = Shown & { kind: "secrets"; what: string };
/** Objects, each written as one word. `parse`: null if the word is none. `format`: null if no word can say it. */
type ItemsField = Shown & {
  kind: "items";
  parse: (word: string) => object | null;
  format: (item: unknown) => string | null;
  expected: string;
};
export type StepsField = Pick<Shown, "option" | "label"> & { kind: "steps" };

export type LeafField =
  | TextField
  | ContentsField
  | NumberField
  | FlagField
  | ChoiceField
  | ListField
  | MapField
  | VariablesField
  | SecretsField
  | ItemsField;
/** An object with fields of its own. */
export type GroupField<Fields = Record<string, LeafField>> = { kind: "group"; fields: Fields };

/** A table with a row for every field of a schema, of a kind that can hold its value. A missing row is an error of the compiler. */
export type TableOf<Schema> = { [Name in keyof Schema]-?: FieldOf<NonNullable<Schema[Name]>> };

/** In brackets, so that a union of texts is one choice. */
type FieldOf<Value> = [Value] extends [boolean]
  ? FlagField
  : [Value] extends [number]
    ? NumberField
    : [Value] extends [string]
      ? string extends Value
        ? TextField | ContentsField
        : ChoiceField<Value>
      : [Value] extends [string[]]
        ? ListField
        : [Value] extends [object[]]
          ? ItemsField | StepsField
          : string extends keyof Value
            ? MapOf<Value[keyof Value]>
            : GroupField<TableOf<Value>>;

type MapOf<Value> = [Value] extends [string] ? MapField | VariablesField | SecretsField : never;

/** A field that has a value, by its path as the API names it: `Resources.CPUs`. */
export type Leaf = { path: string; field: LeafField };

export function leavesOf(table: Record<string, LeafField | GroupField | StepsField>): Leaf[] {
  return Object.entries(table).flatMap(([name, field]): Leaf[] => {
    if (field.kind === "steps") return [];
    if (field.kind !== "group") return [{ path: name, field }];
    return leavesOf(field.fields).map((leaf) => ({ ...leaf, path: `${name}.${leaf.path}` }));
  });
}

export function valueAt(object: unknown, path: string): unknown {
  return path.split(".").reduce((value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined), object);
}

/** A copy of `start` with these values at their paths. Undefined ones are left out. */
export function objectOf(
  values: readonly (readonly [path: string, value: unknown])[],
  start: Record<string, unknown> = {},
): Record<string, unknown> {
  const object = { ...start };
  for (const [path, value] of values) {
    if (value === undefined) continue;
    const [name = "", ...below] = path.split(".");
    const own = object[name];
    object[name] = below.length === 0 ? value : objectOf([[below.join("."), value]], isObject(own) ? own : {});
  }
  return object;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An option as it is typed: `--workdir`. */
export function longOf({ flags }: Option): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? flags;
}
