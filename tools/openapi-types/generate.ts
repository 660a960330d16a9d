// `node tools/openapi-types/generate.ts` writes src/client/openapi.ts from docs/openapi.json.
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import openapiTS, { astToString } from "openapi-typescript";

const root = resolve(import.meta.dirname, "..", "..");

/** The types of the API as TypeScript, from its OpenAPI document. */
export async function openapiTypes(documentJson: string): Promise<string> {
  const text = astToString(await openapiTS(documentJson, { alphabetize: true }));
  return `/** Written by \`make docs\` from docs/openapi.json; do not edit. */\n\n${text}`;
}

if (import.meta.main) {
  writeFileSync(join(root, "src", "client", "openapi.ts"), await openapiTypes(readFileSync(join(root, "docs", "openapi.json"), "utf8")));
}
