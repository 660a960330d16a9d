import { readdir, readFile } from "node:fs/promises";
import { createRequire, registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Parts of the bundle that are loaded when they are first asked for, held so that they are still there when another version has been installed in its place. */

const folder = import.meta.dirname;

/** Reads those that are not loaded yet; once they are missed, they are taken from memory. To be called once. */
export async function holdParts(): Promise<void> {
  const { cache } = createRequire(import.meta.url);
  const names = (await readdir(folder)).filter((name) => name.endsWith(".cjs") && cache[join(folder, name)] === undefined);
  const held = new Map<string, Buffer>();
  for (const name of names) held.set(pathToFileURL(join(folder, name)).href, await readFile(join(folder, name)));
  if (held.size > 0) provide(held); // the source has none
}

/** By URL. */
function provide(held: Map<string, Buffer>): void {
  const missed = new Set<string>();
  registerHooks({
    resolve: (specifier, context, next) => {
      try {
        return next(specifier, context);
      } catch (error) {
        const url = specifier.startsWith("./") && context.parentURL !== undefined ? new URL(specifier, context.parentURL).href : "";
        if (!held.has(url)) throw error;
        missed.add(url);
        return { url, format: "commonjs", shortCircuit: true };
      }
    },
    load: (url, context, next) => {
      const source = missed.has(url) ? held.get(url) : undefined;
      return source === undefined ? next(url, context) : { source, format: "commonjs", shortCircuit: true };
    },
  });
}
