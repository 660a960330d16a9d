import { type TObject, type TSchema, Type } from "typebox";

/**
 * The values of query parameters, which arrive as text. A parameter that its schema describes as a number, a boolean or a list is read as
 * one. A value that cannot be read stays text, and the check refuses the parameter by name.
 */
export function readQuery({ properties }: TObject, query: unknown): unknown {
  const given = typeof query === "object" && query !== null ? Object.entries(query) : [];
  const values = given.map(([name, text]): [string, unknown] => {
    const expected: TSchema | undefined = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return [name, expected === undefined ? text : read(text, expected)];
  });
  return Object.fromEntries(values);
}

function read(text: unknown, schema: TSchema): unknown {
  if (Type.IsArray(schema)) return [text].flat();
  if (typeof text !== "string") return text;
  if (Type.IsBoolean(schema)) return text === "true" ? true : text === "false" ? false : text;
  if (Type.IsInteger(schema)) return /^\d{1,16}$/.test(text) ? Number(text) : text;
  if (Type.IsNumber(schema)) return /^\d{1,16}(\.\d{1,9})?$/.test(text) ? Number(text) : text;
  return text;
}
