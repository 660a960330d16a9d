/**
 * What all apps of Fastify are made with: without it, it loads compilers of schemas of its own (ajv, fast-json-stringify), which none of
 * them uses.
 */
export const withoutCompilers = { schemaController: { compilersFactory: { buildValidator: refuse, buildSerializer: refuse } } };

function refuse(): never {
  throw new Error("this app has schemas, and nothing that checks by them: give it setValidatorCompiler and setSerializerCompiler");
}
