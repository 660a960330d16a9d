import type { JobSpec } from "../../../src/client/index.ts";
import { isObject } from "../../../src/fields/field.ts";
import { type Fields, fieldsOf, type ShownSpec, specOfFields } from "./fields.ts";
import { type Pair, pairsAt, pairsOf, recordOf } from "./values.ts";

/** A job as it is written: in fields, or as JSON, which can say all of it. Secrets have fields in both, so that they need not be seen. */
export type Draft = { kind: "fields"; fields: Fields } | { kind: "json"; text: string; secrets: Pair[] };

/** `spec`: whether it is a job, the service says. */
export type Written = { kind: "spec"; spec: JobSpec } | { kind: "wrong"; problem: string };

export function writtenIn(draft: Draft): Written {
  if (draft.kind === "fields") return { kind: "spec", spec: specOfFields(draft.fields) };
  const read = readJson(draft.text);
  if (read.kind === "wrong") return read;
  const { Secrets = {}, ...spec } = read.spec;
  const secrets = { ...Secrets, ...recordOf(draft.secrets) };
  return { kind: "spec", spec: Object.keys(secrets).length === 0 ? spec : { ...spec, Secrets: secrets } };
}

/** Of a job that ran before: in fields, where these say all of it. */
export function draftOf(spec: ShownSpec): Draft {
  const fields = fieldsOf(spec);
  if (canonical(specOfFields(fields)) === canonical(spec)) return { kind: "fields", fields };
  const { Secrets, ...shown } = spec;
  return { kind: "json", text: JSON.stringify(shown, null, 2), secrets: pairsOf(Secrets) };
}

export function inJson(draft: Draft): Draft {
  if (draft.kind === "json") return draft;
  const { Secrets: _secrets, ...spec } = specOfFields(draft.fields);
  return { kind: "json", text: JSON.stringify(spec, null, 2), secrets: pairsAt(draft.fields.values, "Secrets") };
}

/** Null: they cannot say all of it, or it is no job. */
export function inFields(draft: Draft): Fields | null {
  if (draft.kind === "fields") return draft.fields;
  const written = writtenIn(draft);
  if (written.kind === "wrong") return null;
  const again = draftOf(written.spec);
  return again.kind === "fields" ? again.fields : null;
}

function readJson(text: string): Written {
  try {
    const spec: JobSpec | null = JSON.parse(text);
    if (typeof spec !== "object" || spec === null || Array.isArray(spec)) return { kind: "wrong", problem: "must be an object, in braces" };
    return { kind: "spec", spec };
  } catch (error) {
    return { kind: "wrong", problem: `is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/**
 * Equal for jobs that are the same: in whatever order they say it, and whether they say what goes without saying. What is not shown is as
 * good as empty.
 */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === null) return "";
    if (typeof part !== "object" || Array.isArray(part)) return part;
    const said = Object.entries(part).filter(([, own]) => own !== false && !(isObject(own) && Object.keys(own).length === 0));
    return Object.fromEntries(said.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
