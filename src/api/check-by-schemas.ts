import { type TObject, Type } from "typebox";
import { JobSpec } from "../job/spec.ts";
import { readSpec } from "./body.ts";
import type { App } from "./context.ts";
import { makeQuery } from "./query.ts";

/** Requests are checked against the schemas of their route, in the API's words, before its handler hears of them. */
export function checkBySchemas(app: App): void {
  app.setValidatorCompiler(({ schema, httpPart }) => {
    if (httpPart === "querystring") return attempt(makeQuery(asObject(schema)));
    if (schema === JobSpec) return attempt(readSpec); // a schema does not say all that must be true of it
    return (value: unknown) => ({ value }); // IDs, headers, files: what reads them answers for what is wrong
  });
  app.setSerializerCompiler(() => JSON.stringify); // the schemas describe answers, and change nothing in them
}

function attempt(read: (value: unknown) => unknown): (value: unknown) => { value: unknown } | { error: Error } {
  return (value) => {
    try {
      return { value: read(value) };
    } catch (error) {
      return { error: error instanceof Error ? error : new Error(String(error)) };
    }
  };
}

function asObject(schema: unknown): TObject {
  if (Type.IsObject(schema)) return schema;
  throw new Error("the query of a route must be described as an object");
}
