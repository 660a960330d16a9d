import { strict as assert } from "node:assert";

/** A value that breaks one constraint of a schema, and its path in the whole value. */
export type Violation = { path: (string | number)[]; value: unknown; constraint: string };

type Schema = Record<string, unknown>;

/** Keywords without effect on values. */
const annotations = new Set(["description", "title", "examples", "default"]);

const oddTexts = ["", "!", "a b", "é", "=", "a\nb", "a\u0000b", "..", "-x", "x".repeat(300)];

/** Violations of every constraint of a schema and of the schemas below it. An unknown keyword throws, because nothing would test it. */
export function* violationsOf(schema: unknown, path: (string | number)[] = []): Generator<Violation> {
  const object = asSchema(schema);
  for (const [keyword, limit] of Object.entries(object)) {
    if (annotations.has(keyword)) continue;
    const below = children[keyword];
    if (below !== undefined) yield* below(limit, path, object);
    const violate = values[keyword];
    assert.ok(violate !== undefined || below !== undefined, `no violation of ${keyword} is known`);
    for (const [extra, value] of violate?.(limit, object) ?? []) yield { path: [...path, ...extra], value, constraint: keyword };
  }
}

type Values = (limit: unknown, schema: Schema) => [path: (string | number)[], value: unknown][];

/** Values that break a keyword of this schema or of a schema below it. */
const values: Record<string, Values> = {
  type: (type) => [[[], type === "string" ? 5 : type === "boolean" ? "maybe" : type === "object" ? 5 : "x"]],
  enum: () => [[[], "no such word"]],
  minLength: (limit) => [[[], "x".repeat(Number(limit) - 1)]],
  maxLength: (limit) => [[[], "x".repeat(Number(limit) + 1)]],
  pattern: (pattern) => {
    const value = oddTexts.find((text) => !new RegExp(String(pattern), "u").test(text));
    assert.ok(value !== undefined, `a text that breaks ${String(pattern)}`);
    return [[[], value]];
  },
  minimum: (limit) => [[[], Number(limit) - 1]],
  maximum: (limit) => [[[], Number(limit) + 1]],
  exclusiveMinimum: (limit) => [[[], limit]],
  minItems: (limit) => [[[], Array.from({ length: Number(limit) - 1 }, () => "x")]],
  maxItems: (limit, { items }) => [[[], Array.from({ length: Number(limit) + 1 }, () => sampleOf(items))]],
  maxProperties: (limit) => [[[], Object.fromEntries(Array.from({ length: Number(limit) + 1 }, (_, index) => [`k${index}`, "x"]))]],
  required: (names) => (Array.isArray(names) ? names.map((name) => [[String(name)], undefined]) : []),
  additionalProperties: (is) => (is === false ? [[["no=such\u0000field"], 1]] : []),
};

type Children = (limit: unknown, path: (string | number)[], schema: Schema) => Iterable<Violation>;

/** The schemas below a schema. */
const children: Record<string, Children> = {
  *properties(properties, path) {
    for (const [name, schema] of Object.entries(asSchema(properties))) yield* violationsOf(schema, [...path, name]);
  },
  *patternProperties(patterns, path) {
    for (const schema of Object.values(asSchema(patterns))) yield* violationsOf(schema, [...path, "A"]);
  },
  items: (schema, path) => violationsOf(schema, [...path, 0]),
};

/** The smallest value that has `value` at `path`; without it if it is `undefined`. */
export function wrapped(path: (string | number)[], value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  const inner = wrapped(rest, value);
  if (typeof first === "number") return [inner];
  return inner === undefined ? {} : { [first]: inner };
}

/** A value that fits a simple schema. */
function sampleOf(schema: unknown): unknown {
  const { type, required, properties } = asSchema(schema);
  if (type !== "object") return "/x";
  const names = Array.isArray(required) ? required.map(String) : [];
  return Object.fromEntries(names.map((name) => [name, sampleOf(asSchema(properties)[name])]));
}

function asSchema(schema: unknown): Schema {
  assert.ok(typeof schema === "object" && schema !== null && !Array.isArray(schema));
  return Object.fromEntries(Object.entries(schema));
}
