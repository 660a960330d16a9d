// `node tools/bundle/make.ts` bundles src/ into dist/, from which the program runs.
import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { type OutputOptions, type Plugin, rolldown } from "rolldown";
import { foldersOfPackages } from "./folders.ts";
import { licences } from "./licences.ts";

const root = resolve(import.meta.dirname, "..", "..");
const dist = join(root, "dist");
/** The bundle is made beside its final folder, so that relative paths to the sources are the same in both. */
const made = `${dist}-new`;

/**
 * The program: one file with all that every start needs, and one for each part that is loaded on demand. CommonJS, because Node loads
 * several files of it faster, and because node:http in an ES module makes Node load its fetch. Function and class names are kept for stacks
 * and logs.
 */
const program: OutputOptions = {
  dir: made,
  format: "cjs",
  entryFileNames: "[name].cjs",
  chunkFileNames: "[name]-[hash].cjs", // a file of another build is not found
  dynamicImportInCjs: false,
  comments: false,
  minify: { compress: { keepNames: { function: true, class: true } }, mangle: { keepNames: true }, codegen: true },
  sourcemap: "hidden", // src/stacks.ts finds the map by its name
  sourcemapExcludeSources: true,
};

/** The client, for programs in Node and browsers. Not minified: applications that bundle it minify it themselves. */
const client: OutputOptions = {
  dir: join(made, "client"),
  format: "es",
  entryFileNames: "index.js",
  codeSplitting: false,
  comments: { legal: false },
};

/** The supervisor in a package is linked statically. */
const supervisorLicence = `build/jobrunner-supervisor-* contains parts of the C library of the machine that packed it. The GNU C Library is
under the GNU Lesser General Public License, version 2.1 or later. The source of the program is in supervisor/, so that it can be
linked with another library.
`;

type Kind = { platform: "node" | "neutral"; plugins: Plugin[] };

async function bundle(input: string, output: OutputOptions, { platform, plugins }: Kind): Promise<void> {
  const build = await rolldown({
    cwd: root,
    input: { main: join(root, input) },
    platform,
    plugins,
    resolve: { alias: { "supports-color": false } }, // the package debug uses it for colours where it is installed
    checks: { bundlerTimings: false }, // a slow machine is not an error
    onLog: (level, { code, message }) => {
      // One part may import a module at once that another one loads on demand.
      if (level === "warn" && code !== "INEFFECTIVE_DYNAMIC_IMPORT") throw new Error(message);
    },
  });
  await build.write(output);
  await build.close();
}

rmSync(made, { recursive: true, force: true });
cpSync(join(root, "node_modules", "@fastify", "swagger-ui", "static"), join(made, "@fastify", "swagger-ui", "static"), { recursive: true });
await bundle("src/client/index.ts", client, { platform: "neutral", plugins: [licences()] });
await bundle("src/main.ts", program, { platform: "node", plugins: [licences(supervisorLicence), foldersOfPackages()] });
putInPlace();

/** Swaps the folders, so that a start meanwhile finds a complete bundle. */
function putInPlace(): void {
  const old = `${dist}-old`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(made, dist);
  rmSync(old, { recursive: true, force: true });
  rmSync(join(root, "build", "compile-cache"), { recursive: true, force: true }); // it belongs to the old files
}
