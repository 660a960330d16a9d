import { readdirSync, readFileSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Parts of the program are loaded when they are first asked for, which may be weeks after its start, and meanwhile another version may have been put in the
 * place of this one: its files have other names, or are others. So a service keeps the text of what it has not loaded, some hundred kB, and loads it from there.
 */

const folder = import.meta.dirname;

/** Of the bundle. What runs from the source finds that as it is. */
export function keepParts(): void {
  const loaded = new Set(Object.keys(createRequire(import.meta.url).cache));
  const paths = readdirSync(folder)
    .filter((name) => name.endsWith(".cjs"))
    .map((name) => join(folder, name));
  if (paths.length === 0) return;
  const all = new Set(paths.map((path) => pathToFileURL(path).href)); // those that are loaded are asked for by the others
  const kept = new Map(paths.filter((path) => !loaded.has(path)).map((path) => [pathToFileURL(path).href, readFileSync(path)]));
  registerHooks({
    resolve: (specifier, context, next) => {
      const url =
        /^\.{1,2}\//.test(specifier) && URL.canParse(specifier, context.parentURL) ? new URL(specifier, context.parentURL).href : "";
      return all.has(url) ? { url, format: "commonjs", shortCircuit: true } : next(specifier, context);
    },
    load: (url, context, next) => {
      const source = kept.get(url);
      return source === undefined ? next(url, context) : { source, format: "commonjs", shortCircuit: true };
    },
  });
}
