import type { TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import { patternSentences } from "../job/sentences.ts";
import { type FieldError, invalid } from "../operations/refusal.ts";

/** Checks values against schemas, and describes errors with the field names of the API. */

/** The names of a part of a request and of its fields in errors. */
export type PartNames = { part: string; fieldOf: (path: string) => string };

const validators = new WeakMap<TSchema, Validator>();

/**
 * Throws a refusal that names the wrong fields if the value does not fit the schema, or the refusal of a rule that `refine` has attached.
 * A schema is compiled on first use, because most routes are never requested.
 */
export function checkValue(schema: TSchema, value: unknown, names: PartNames): void {
  let validator = validators.get(schema);
  if (validator === undefined) validators.set(schema, (validator = Compile(schema)));
  if (validator.Check(value)) return;
  if (countValues(value, maxExplained) > maxExplained) {
    const message = `does not fit its schema; the error names the field only if there are at most ${maxExplained} values`;
    throw invalid([{ field: names.part, message }]);
  }
  throw invalid(validator.Errors(value).flatMap((error) => describe(error, names)));
}

/**
 * Explaining an error takes some microseconds per value, and blocks the event loop. The limit is twice the most entries that a list or map
 * of a job may have, so the error names a list that is slightly too long.
 */
const maxExplained = 20_000;

/** The number of values; counting stops above `limit`. Without recursion, because the client decides how deep the value is. */
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

/** What TypeBox reports about a value that does not fit (JSON Schema keywords, instance paths by RFC 6901). */
type SchemaError = { keyword: string; instancePath: string; params: object; message: string };

function describe(error: SchemaError, names: PartNames): FieldError[] {
  const field = fieldName(error.instancePath, names);
  const params = new Map<string, unknown>(Object.entries(error.params));
  const values = (key: string): string[] => [params.get(key)].flat().map(String);
  const limit = String(params.get("limit"));
  switch (error.keyword) {
    case "boolean": // the schema `false`, by which additionalProperties refuses each unknown field
      return [unknownField(error.instancePath, names)];
    case "additionalProperties":
      return []; // reported for each field
    case "required":
      return values("requiredProperties").map((name) => ({
        field: fieldName(`${error.instancePath}/${name}`, names),
        message: "is missing",
      }));
    case "type":
      return [{ field, message: `must be ${article(values("type").join(" or "))}` }];
    case "enum":
      return [{ field, message: `must be one of ${values("allowedValues").join(", ")}` }];
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
    default: // "~refine" among them
      return [{ field, message: error.message }];
  }
}

function unknownField(instancePath: string, names: PartNames): FieldError {
  const map = instancePath.split("/").at(-2);
  const field = fieldName(instancePath, names);
  if (map === "Environment" || map === "Secrets")
    return { field, message: "is not a valid name of a variable: use 1 to 1024 characters without '=' and NUL" };
  if (map === "Labels")
    return { field, message: "is not a valid name of a label: use 1 to 63 letters, digits and . _ / -, beginning with a letter or digit" };
  return { field, message: "is not known to this version of jobrunner: remove it, or check its spelling" };
}

function patternMessage(pattern: string): string {
  const sentence = patternSentences.get(pattern);
  if (sentence !== undefined) return sentence;
  if (pattern.includes("001f")) return "must not contain control characters";
  if (pattern.includes("u0000")) return "must not contain a NUL character, which cannot be passed to a process";
  return `must match ${pattern}`;
}

/** `/Commands/0/Args` is `Commands[0].Args`. */
function fieldName(instancePath: string, { part, fieldOf }: PartNames): string {
  const names = instancePath
    .split("/")
    .slice(1)
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  const path = names.map((name, index) => (/^\d+$/.test(name) ? `[${name}]` : `${index === 0 ? "" : "."}${name}`)).join("");
  if (names.length === 0) return part;
  return fieldOf(path === "" ? '""' : shorten(path));
}

function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}
