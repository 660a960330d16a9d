import { isObject, type Leaf, type LeafField, objectOf, valueAt } from "../../../src/fields/field.ts";

/** What is written in the controls of a form, by the fields' paths. It is kept as it was typed. An empty control has no value. */

export type Pair = { name: string; value: string };
export type FormValue = string | boolean | Pair[];
export type FormValues = Readonly<Record<string, FormValue>>;

export function textAt(values: FormValues, path: string): string {
  const value = values[path];
  return typeof value === "string" ? value : "";
}

export function pairsAt(values: FormValues, path: string): Pair[] {
  const value = values[path];
  return Array.isArray(value) ? value : [];
}

export function isSetAt(values: FormValues, path: string): boolean {
  return values[path] === true;
}

export function withValue(values: FormValues, path: string, value: FormValue): FormValues {
  const { [path]: _before, ...others } = values;
  return value === "" || value === false || (Array.isArray(value) && value.length === 0) ? others : { ...others, [path]: value };
}

/** What the controls say, as the API takes it. What is no number is sent as it was typed: the service says what is wrong with it. */
export function objectOfValues(leaves: readonly Leaf[], values: FormValues): Record<string, unknown> {
  return objectOf(leaves.map(({ path, field }) => [path, valueOf(field, values, path)] as const));
}

/** As much of the object as the controls can say; values that are not shown are empty. */
export function valuesOfObject(leaves: readonly Leaf[], object: unknown): FormValues {
  return leaves.reduce((values: FormValues, { path, field }) => {
    const value = valueAt(object, path);
    return value === undefined ? values : withValue(values, path, formValueOf(field, value));
  }, {});
}

function valueOf(field: LeafField, values: FormValues, path: string): unknown {
  const text = textAt(values, path);
  switch (field.kind) {
    case "text":
    case "contents":
    case "choice":
      return text === "" ? undefined : text;
    case "seconds":
    case "bytes":
    case "number":
    case "integer":
      return numberOf(text.trim());
    case "flag":
      return isSetAt(values, path) ? true : undefined;
    case "list":
      return text === "" ? undefined : text.split("\n");
    case "items": {
      const lines = text.split("\n").map((line) => line.trim());
      const items = lines.filter((line) => line !== "").map((line) => field.parse(line) ?? line);
      return items.length === 0 ? undefined : items;
    }
    case "map":
    case "variables":
    case "secrets":
      return recordOf(pairsAt(values, path));
  }
}

function numberOf(text: string): number | string | undefined {
  if (text === "") return undefined;
  return Number.isNaN(Number(text)) ? text : Number(text);
}

/** Undefined: all of them are empty. */
export function recordOf(given: readonly Pair[]): Record<string, string> | undefined {
  const named = given.filter(({ name, value }) => name !== "" || value !== "");
  return named.length === 0 ? undefined : Object.fromEntries(named.map(({ name, value }): [string, string] => [name, value]));
}

/** What does not fit the field is shown as JSON. */
function formValueOf(field: LeafField, value: unknown): FormValue {
  const unfit = value === null ? "" : JSON.stringify(value);
  switch (field.kind) {
    case "text":
    case "contents":
    case "choice":
      return typeof value === "string" ? value : unfit;
    case "seconds":
    case "bytes":
    case "number":
    case "integer":
      return typeof value === "number" || typeof value === "string" ? String(value) : unfit;
    case "flag":
      return value !== false && value !== null;
    case "list":
      return Array.isArray(value) ? value.join("\n") : unfit;
    case "items":
      return Array.isArray(value) ? value.map((item) => field.format(item) ?? JSON.stringify(item)).join("\n") : unfit;
    case "map":
    case "variables":
    case "secrets":
      return pairsOf(value);
  }
}

export function pairsOf(values: unknown): Pair[] {
  if (!isObject(values)) return [];
  return Object.entries(values).map(([name, value]) => ({ name, value: typeof value === "string" ? value : "" }));
}
