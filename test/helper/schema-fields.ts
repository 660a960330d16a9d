import type { TSchema } from "typebox";
import { Check } from "typebox/value";
import { findContradiction } from "../../src/job/contradiction.ts";
import { Command, JobSpec } from "../../src/job/spec.ts";

/** Jobs that show the fields of the real schema of a job, one field at a time. */

type Schema = { [keyword: string]: unknown };

/** A field by its path, and a job in which it is set. `path`: the API's name, without the indexes of items. */
export type ShownField = { path: string; spec: JobSpec };

/** Every field of a job and of its steps, with each of the values that it can have if they are few. */
export function shownFields(): ShownField[] {
  const ofJob = samplesOf(JobSpec).filter(({ path }) => !path.startsWith("Commands."));
  const ofStep = samplesOf(Command);
  return [
    ...ofJob.flatMap(({ path, value, object }) => shownIn(path, value, [{ ...object }, { CommandLine: "true", ...object }])),
    ...ofStep.flatMap(({ path, value, object }) => shownIn(`Commands.${path}`, value, surroundings(object))),
  ];
}

/** Alone, and as the first and as the last of two steps, with the other fields that the field needs. */
function surroundings(object: object): object[] {
  const steps = [object, { CommandLine: "true", ...object }, { Image: "debian:12", ...object }];
  return steps.flatMap((step) => [
    { Commands: [step] },
    { Commands: [step, { Args: ["true"] }] },
    { Commands: [{ CommandLine: "true" }, step] },
  ]);
}

/** The candidates that the service would accept. */
function shownIn(path: string, value: unknown, candidates: object[]): ShownField[] {
  const fitting = candidates.filter((spec): spec is JobSpec => Check(JobSpec, spec) && findContradiction(spec) === null);
  if (fitting.length === 0)
    throw new Error(`no job is known in which ${path} may be ${JSON.stringify(value)}: add what it needs beside it`);
  return fitting.map((spec) => ({ path, spec }));
}

type Sample = { path: string; value: unknown; object: Record<string, unknown> };

/** For each field without fields of its own: an object in which it is set, with the other required fields. */
function samplesOf(schema: TSchema): Sample[] {
  return samplesBelow(Object.fromEntries(Object.entries(schema)));
}

function samplesBelow(schema: Schema): Sample[] {
  const properties = Object.entries(asSchema(schema["properties"]));
  const needed = Array.isArray(schema["required"]) ? schema["required"] : [];
  const required = Object.fromEntries(
    properties.filter(([name]) => needed.includes(name)).map(([name, part]) => [name, valuesOf(asSchema(part))[0]]),
  );
  return properties.flatMap(([name, part]): Sample[] => {
    const own = asSchema(part);
    const items = asSchema(own["items"]);
    const isList = items["properties"] !== undefined;
    const below = isList ? items : own;
    if (below["properties"] === undefined)
      return valuesOf(own).map((value) => ({ path: name, value, object: { ...required, [name]: value } }));
    return samplesBelow(below).map(({ path, value, object }) => ({
      path: `${name}.${path}`,
      value,
      object: { ...required, [name]: isList ? [object] : object },
    }));
  });
}

const texts = ["a", "/a", "a b", "1"];

function valuesOf(schema: Schema): unknown[] {
  if (Array.isArray(schema["enum"])) return schema["enum"];
  switch (schema["type"]) {
    case "string":
      return texts.filter((text) => Check(schema, text)).slice(0, 1);
    case "integer":
    case "number":
      return [typeof schema["minimum"] === "number" ? schema["minimum"] + 1 : 1.5];
    case "boolean":
      return [true];
    case "array":
      return [["a", "-b"]];
    case "object":
      return [{ A: "b", C: "d" }];
    default:
      throw new Error(`no sample for ${JSON.stringify(schema)}`);
  }
}

function asSchema(value: unknown): Schema {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
