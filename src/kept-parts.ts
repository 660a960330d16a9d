import { readdirSync, readFileSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Parts of the program are loaded on first use, which may be weeks after its start. Another version may have replaced the files by then. So
 * a service keeps the text of all parts that are not loaded yet (some hundred kB) in memory, and loads them from there.
 */

const folder = import.meta.dirname;

/** Keeps the parts of the bundle. Does nothing when the program runs from its source. */
export function keepParts(): void {
  const loaded = new Set(Object.keys(createRequire(import.meta.url).cache));
  const paths = readdirSync(folder)
    .filter((name) => name.endsWith(".cjs"))
    .map((name) => join(folder, name));
  if (paths.length === 0) return;
  const all = new Set(paths.map((path) => pathToFileURL(path).href)); // other parts require the loaded ones too
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
