import { type TObject, type TSchema, Type } from "typebox";
import type { App } from "./context.ts";
import { parseJson } from "./body.ts";
import { headerName } from "./headers.ts";
import { readQuery } from "./query.ts";
import { checkValue, type PartNames } from "./validation.ts";

/**
 * Checks every part of a request that the schema of its route describes, before the handler runs. The handler gets the values as the schema
 * describes them: query parameters as numbers and booleans, the body as parsed JSON.
 */
export function checkBySchemas(app: App): void {
  app.setValidatorCompiler(({ schema, httpPart }) => validatorOf(httpPart, asSchema(schema)));
  app.setSerializerCompiler(() => JSON.stringify); // the schemas describe answers and change nothing in them
}

type Validator = (value: unknown) => { value: unknown } | { error: Error } | boolean;

function validatorOf(httpPart: string | undefined, schema: TSchema): Validator {
  switch (httpPart) {
    case "body":
      if (Type.IsUnknown(schema)) return () => true; // bytes, which the handler reads
      return attempt((value) => {
        const body = parseJson(value);
        checkValue(schema, body, bodyNames);
        return { value: body };
      });
    case "querystring": {
      const object = asObject(schema);
      return attempt((value) => {
        const query = readQuery(object, value);
        checkValue(schema, query, queryNames);
        return { value: query };
      });
    }
    case "params":
      return attempt((value) => {
        const params = withPath(value);
        checkValue(schema, params, paramNames);
        return { value: params };
      });
    case "headers":
      return attempt((value) => {
        checkValue(schema, value, headerNames);
        return true;
      });
    case undefined:
    default:
      throw new Error(`a route has a schema for ${String(httpPart)}, which this service does not check`);
  }
}

const bodyNames: PartNames = { part: "the body", fieldOf: (path) => path };
const queryNames: PartNames = { part: "the query", fieldOf: (path) => `?${path}` };
const paramNames: PartNames = { part: "the path", fieldOf: (path) => (path === "id" ? "ID" : path) };
const headerNames: PartNames = { part: "the headers", fieldOf: headerName };

/** The router names the match of a `*` in a route's URL "*". Schemas and the OpenAPI document name it `path`. */
function withPath(params: unknown): unknown {
  if (typeof params !== "object" || params === null || !("*" in params)) return params;
  const { "*": path, ...others } = params;
  return { ...others, path };
}

function attempt(validate: Validator): Validator {
  return (value) => {
    try {
      return validate(value);
    } catch (error) {
      return { error: error instanceof Error ? error : new Error(String(error)) };
    }
  };
}

function asSchema(schema: unknown): TSchema {
  if (Type.IsSchema(schema)) return schema;
  throw new Error("a route's schema must be one of TypeBox");
}

function asObject(schema: TSchema): TObject {
  if (Type.IsObject(schema)) return schema;
  throw new Error("the query of a route must be described as an object");
}
