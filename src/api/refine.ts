import { type Static, type TSchema, Type } from "typebox";
import { Refusal } from "../operations/refusal.ts";

/**
 * Attaches to a schema a rule that JSON Schema cannot express. `findProblem` gets a value that fits the schema. It returns what is wrong
 * with it, as a sentence about this field or as a whole refusal; null if the value is right. So one schema is the description in the
 * OpenAPI document, the type and the check.
 */
export function refine<Schema extends TSchema>(schema: Schema, findProblem: (value: Static<Schema>) => string | Refusal | null): Schema {
  const isRight = (value: Static<Schema>): boolean => {
    const problem = findProblem(value);
    if (problem instanceof Refusal) throw problem;
    return problem === null;
  };
  return Type.Refine(schema, isRight, (value) => String(findProblem(value)));
}
