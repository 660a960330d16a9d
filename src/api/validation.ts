import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { patternSentences } from "../job/sentences.ts";
import { type FieldError, invalid } from "../operations/refusal.ts";

/** Checks a value against a schema and says in the API's words what is wrong with it. */

export type Check<Schema extends TSchema> = (value: unknown) => Static<Schema>;

/**
 * A function that gives the value back if it fits, and throws a Problem that names the fields otherwise. Compiled once, by its first use:
 * most routes are never asked.
 */
export function makeCheck<Schema extends TSchema>(schema: Schema, where: { name: string; prefix: string }): Check<Schema> {
  const compile = () => Compile(schema);
  let compiled: ReturnType<typeof compile> | null = null;
  return (value) => {
    const validator = (compiled ??= compile());
    if (validator.Check(value)) return value;
    if (countValues(value, maxExplained) > maxExplained) {
      throw invalid([
        {
          field: where.name,
          message: `is not as it must be, and has too many values to look where: with no more than ${maxExplained} it is said`,
        },
      ]);
    }
    const errors = validator.Errors(value).flatMap((error) => describe(error, where));
    throw invalid(errors);
  };
}

/**
 * To explain an error takes some microseconds per value, in which nobody else is answered. Twice the most that a list or map of a job may
 * hold, so that one with an entry too many is named.
 */
const maxExplained = 20_000;

/** How many values there are, or more than `limit`. Without recursion: the body decides how deep they lie. */
function countValues(value: unknown, limit: number): number {
  let count = 0;
  for (const waiting = [value]; waiting.length > 0 && count <= limit;) {
    const next: unknown = waiting.pop();
    count += 1;
    if (typeof next !== "object" || next === null) continue;
    for (const part of Object.values(next).slice(0, limit + 1)) waiting.push(part);
  }
  return count;
}

/** What TypeBox says of a value that does not fit (JSON Schema keywords, instance paths by RFC 6901). */
type SchemaError = { keyword: string; instancePath: string; params: object; message: string };

function describe(error: SchemaError, where: { name: string; prefix: string }): FieldError[] {
  const field = fieldName(error.instancePath, where);
  const params = new Map<string, unknown>(Object.entries(error.params));
  const names = (key: string): string[] => [params.get(key)].flat().map(String);
  const limit = String(params.get("limit"));
  switch (error.keyword) {
    case "boolean": // no value at all is allowed here: what additionalProperties refuses, one by one
      return [unknownField(error.instancePath, where)];
    case "additionalProperties":
      return []; // said for each
    case "required":
      return names("requiredProperties").map((name) => ({
        field: fieldName(`${error.instancePath}/${name}`, where),
        message: "is missing",
      }));
    case "type":
      return [{ field, message: `must be ${article(names("type").join(" or "))}` }];
    case "enum":
      return [{ field, message: `must be one of ${names("allowedValues").join(", ")}` }];
    case "minLength":
      return [{ field, message: limit === "1" ? "must not be empty" : `must have ${limit} characters or more` }];
    case "maxLength":
      return [{ field, message: `must have no more than ${limit} characters` }];
    case "minItems":
      return [{ field, message: limit === "1" ? "must not be empty" : `must have ${limit} items or more` }];
    case "maxItems":
      return [{ field, message: `must have no more than ${limit} items` }];
    case "maxProperties":
      return [{ field, message: `must have no more than ${limit} entries` }];
    case "pattern":
      return [{ field, message: patternMessage(String(params.get("pattern"))) }];
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
      return [{ field, message: `must be ${String(params.get("comparison"))} ${limit}` }];
    default:
      return [{ field, message: error.message }];
  }
}

function unknownField(instancePath: string, where: { name: string; prefix: string }): FieldError {
  const map = instancePath.split("/").at(-2);
  const field = fieldName(instancePath, where);
  if (map === "Environment" || map === "Secrets")
    return { field, message: "is not the name of a variable: 1 to 1024 characters without '=' and NUL" };
  if (map === "Labels")
    return { field, message: "is not the name of a label: 1 to 63 letters, digits and . _ / -, beginning with a letter or digit" };
  return { field, message: "is not known to this version of jobrunner: remove it, or look at its spelling" };
}

function patternMessage(pattern: string): string {
  const sentence = patternSentences.get(pattern);
  if (sentence !== undefined) return sentence;
  if (pattern.includes("001f")) return "must not hold control characters";
  if (pattern.includes("u0000")) return "must not hold a NUL character, which no process can be given";
  return `must match ${pattern}`;
}

/** `/Commands/0/Args` is `Commands[0].Args`. */
function fieldName(instancePath: string, { name, prefix }: { name: string; prefix: string }): string {
  const parts = instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const path = parts.map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : `${index === 0 ? "" : "."}${part}`)).join("");
  if (parts.length === 0) return name;
  return `${prefix}${path === "" ? '""' : shorten(path)}`;
}

function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}
