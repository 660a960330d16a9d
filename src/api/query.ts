import type { Static, TObject, TSchema } from "typebox";
import { makeCheck } from "./validation.ts";

/**
 * Query parameters by schema. They arrive as text: what the schema says is a number, a boolean or a list is read as such, and whatever
 * cannot be is left as it is for the check to refuse by name.
 */
export function makeQuery<Schema extends TObject>(schema: Schema): (query: unknown) => Static<Schema> {
  const check = makeCheck(schema, { name: "the query", prefix: "?" });
  return (query) => {
    const given = typeof query === "object" && query !== null ? Object.entries(query) : [];
    const values = given.map(([name, text]): [string, unknown] => {
      const expected: TSchema | undefined = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
      return [name, expected === undefined ? text : read(text, typeOf(expected))];
    });
    return check(Object.fromEntries(values));
  };
}

function typeOf(schema: TSchema): string {
  return "type" in schema && typeof schema.type === "string" ? schema.type : "string";
}

function read(text: unknown, type: string): unknown {
  if (type === "array") return [text].flat();
  if (typeof text !== "string") return text;
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  if (type === "integer") return /^\d{1,16}$/.test(text) ? Number(text) : text;
  if (type === "number") return /^\d{1,16}(\.\d{1,9})?$/.test(text) ? Number(text) : text;
  return text;
}
