import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Plugin } from "rolldown";
import { packageOf } from "./packages.ts";

/** Writes the licences of everything in a bundle beside it: of the packages, of the bundler's own helpers, and `others`. */
export function licences(...others: string[]): Plugin {
  return {
    name: "licences",
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
      const folders = new Set(modules.flatMap((id) => packageOf(id)?.folder ?? helpersOf(id)));
      const texts = new Set([...folders].map(licenceOf).toSorted()); // a package may be installed twice
      this.emitFile({ type: "asset", fileName: "THIRD-PARTY-LICENSES.txt", source: [introduction, ...texts, ...others].join(rule) });
    },
  };
}

const introduction = "Beside this file is code of the packages below, each under its own licence.\n";
const rule = `\n${"-".repeat(80)}\n\n`;

/** The packages of modules that a bundler adds. Their names begin with a NUL and the name of the bundler. */
function helpersOf(id: string): string[] {
  const [, name] = /^\0(rolldown|vite)\//.exec(id) ?? [];
  return name === undefined ? [] : [resolve(import.meta.dirname, "..", "..", "node_modules", name)];
}

function licenceOf(folder: string): string {
  const described: { name: string; version: string; license: string; author?: string | { name: string } } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  );
  const { name, version, license, author } = described;
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const texts = files.toSorted().map((file) => readFileSync(join(folder, file), "utf8").trim());
  if (texts.length === 0)
    texts.push(`Its package has no text of the licence. Author: ${typeof author === "object" ? author.name : (author ?? "not named")}`);
  return [`${name} ${version}: ${license}`, ...texts, ...(notices[name] ?? [])].join("\n\n") + "\n";
}

/** Notices about code that packages contain without mentioning it. */
const notices: Record<string, string[]> = {
  "@fastify/swagger-ui": [
    "Its folder static/ is of swagger-ui, Copyright SmartBear Software Inc., " +
      "under the Apache License 2.0. Its text is in the LICENSE of this package.",
  ],
};
