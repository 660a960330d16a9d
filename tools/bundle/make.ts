// `node tools/bundle/make.ts` makes of src/ what runs, in dist/.
import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { type OutputOptions, type Plugin, rolldown } from "rolldown";
import { foldersOfPackages } from "./folders.ts";
import { licences } from "./licences.ts";

const root = resolve(import.meta.dirname, "..", "..");
const dist = join(root, "dist");
/** Where it is made, beside its place, so that sources are found from both by the same path. */
const made = `${dist}-new`;

/**
 * The program: a file for all that every start needs, and one for each part that is loaded when it is needed. CommonJS, since Node reads several
 * files of it faster, and loads its own fetch with the first import of node:http in an ES module. Names of functions and classes stay: stacks show
 * the ones, and the log the others.
 */
const program: OutputOptions = {
  dir: made,
  format: "cjs",
  entryFileNames: "[name].cjs",
  chunkFileNames: "[name]-[hash].cjs", // a file is of one build, or is not found
  dynamicImportInCjs: false,
  comments: false,
  minify: { compress: { keepNames: { function: true, class: true } }, mangle: { keepNames: true }, codegen: true },
  sourcemap: "hidden", // src/stacks.ts finds it by its name
  sourcemapExcludeSources: true,
};

/** For programs of others, Node's and browsers': to be read, and made smaller by those who bundle it. */
const client: OutputOptions = {
  dir: join(made, "client"),
  format: "es",
  entryFileNames: "index.js",
  codeSplitting: false,
  comments: { legal: false },
};

/** A package has a supervisor that is linked statically. */
const supervisorLicence = `build/jobrunner-supervisor-* holds parts of the C library of the machine on which it was packed. The GNU C Library is under the GNU Lesser
General Public License, version 2.1 or later: the program's source is in supervisor/, to be linked with another.
`;

type Kind = { platform: "node" | "neutral"; plugins: Plugin[] };

async function bundle(input: string, output: OutputOptions, { platform, plugins }: Kind): Promise<void> {
  const build = await rolldown({
    cwd: root,
    input: { main: join(root, input) },
    platform,
    plugins,
    resolve: { alias: { "supports-color": false } }, // the package debug uses it for colours where it is installed
    checks: { bundlerTimings: false }, // a slow machine is no mistake
    onLog: (level, { code, message }) => {
      // What one part needs at once, another may ask for when it needs it.
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

/** What is started meanwhile finds a whole one. */
function putInPlace(): void {
  const old = `${dist}-old`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(made, dist);
  rmSync(old, { recursive: true, force: true });
  rmSync(join(root, "build", "compile-cache"), { recursive: true, force: true }); // of the files that were
}
