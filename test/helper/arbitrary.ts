import fc from "fast-check";

/** Values that fit a JSON Schema as the service's schemas use it, and values that nearly fit. */

type Schema = { [keyword: string]: unknown };

export const word = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("true", "echo x", "../..", "/", "SIGTERM", "always", "0", "nobody"),
);

export const anything: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: word },
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Values of the fields with these names, instead of any that the schema allows: executed values must be harmless. */
export type Harmless = Record<string, fc.Arbitrary<unknown>>;

/** Most parts fit, so that validation reaches the one that does not. Sometimes a part has another type, or an extra field. */
export function nearly(schema: unknown, harmless: Harmless): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: fitting(asSchema(schema), harmless) }, anything);
}

function fitting(schema: Schema, harmless: Harmless): fc.Arbitrary<unknown> {
  if (Array.isArray(schema["enum"])) return fc.constantFrom<unknown>(...schema["enum"]);
  switch (schema["type"]) {
    case "object":
      return schema["patternProperties"] === undefined ? record(schema, harmless) : dictionary(schema, harmless);
    case "array":
      return fc.array(nearly(schema["items"], harmless), { maxLength: 4 });
    case "string":
      return text(schema);
    case "integer":
      return fc.integer({ min: limit(schema["minimum"], 0), max: Math.min(limit(schema["maximum"], 1000), 2 ** 31 - 1) });
    case "number":
      return fc.double({ min: limit(schema["minimum"], 0), max: limit(schema["maximum"], 1000), noNaN: true });
    case "boolean":
      return fc.boolean();
    default:
      return anything;
  }
}

function record(schema: Schema, harmless: Harmless): fc.Arbitrary<unknown> {
  const fields = Object.entries(asSchema(schema["properties"])).map(
    ([name, part]) => [name, harmless[name] ?? nearly(part, harmless)] as const,
  );
  const known = fc.subarray(fields.map(([name]) => name)).chain((names) => {
    return fc.record(Object.fromEntries(fields.filter(([name]) => names.includes(name))));
  });
  const unknown = fc.dictionary(word, anything, { minKeys: 1, maxKeys: 2 });
  return fc.oneof(
    { weight: 12, arbitrary: known },
    fc.tuple(known, unknown).map(([some, more]) => ({ ...some, ...more })),
  );
}

function dictionary(schema: Schema, harmless: Harmless): fc.Arbitrary<unknown> {
  const [part] = Object.values(asSchema(schema["patternProperties"]));
  const name = fc.oneof({ weight: 6, arbitrary: fc.constantFrom("A", "B_2", "team", "PATH", "JOBRUNNER_STEP") }, word);
  return fc.dictionary(name, nearly(part, harmless), { maxKeys: 4 });
}

function text(schema: Schema): fc.Arbitrary<unknown> {
  const max = Math.min(limit(schema["maxLength"], 100), 200);
  return fc.oneof(fc.string({ minLength: limit(schema["minLength"], 0), maxLength: max }), word);
}

function limit(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

function asSchema(value: unknown): Schema {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
