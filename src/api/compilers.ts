/**
 * Options for every Fastify app. Without them, Fastify loads its own schema compilers (ajv, fast-json-stringify), which no app uses.
 */
export const withoutCompilers = { schemaController: { compilersFactory: { buildValidator: refuse, buildSerializer: refuse } } };

function refuse(): never {
  throw new Error("this app has schemas but no compilers for them: call setValidatorCompiler and setSerializerCompiler");
}
