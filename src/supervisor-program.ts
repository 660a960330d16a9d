import { spawnSync } from "node:child_process";
import { closeSync, existsSync, fsyncSync, mkdtempSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeStateDir } from "./runner/state-dir.ts";
import { codeOf } from "./lib/error-code.ts";

/** Finds the C program: `make` built it, the package contains it, or the first start compiles it. */

export type Installation = {
  /** The checkout, or the package's folder. */
  root: string;
  version: string;
  /** As Node.js names it: `x64`, `arm64`. */
  architecture: string;
  stateDir: string;
  /** Gets a sentence when a program was compiled. */
  report: (sentence: string) => void;
};

/** The path of the program. Throws an error for people if there is none and compiling one fails. */
export function supervisorProgram(installation: Installation): string {
  const { root, version, architecture, stateDir } = installation;
  const present = presentProgram({ root, architecture });
  if (present !== undefined) return present;
  if (existsSync(join(root, "src"))) throw new Error(`the supervisor is not built: run make in ${root}`);
  // Only this user can write to the state directory, so nobody else can put a program there.
  makeStateDir(stateDir);
  const path = join(stateDir, `supervisor-${version}-${architecture}`);
  if (!existsSync(path)) compile(path, installation);
  return path;
}

/** The path of a program that `make` built or the package contains. */
export function presentProgram({ root, architecture }: Pick<Installation, "root" | "architecture">): string | undefined {
  const built = join(root, "build", "jobrunner-supervisor");
  return [built, `${built}-${architecture}`].find((path) => existsSync(path));
}

/** Several services may compile at the same time: each writes its own file, and the rename is atomic. */
function compile(path: string, { root, version, architecture, report }: Installation): void {
  const folder = mkdtempSync(`${path}-`);
  try {
    const sources = join(root, "supervisor");
    const made = join(folder, "supervisor");
    const files = readdirSync(sources).filter((name) => name.endsWith(".c"));
    const args = [...flags, `-DJOBRUNNER_VERSION="${version}"`, "-o", made, ...files];
    // Not every system has a static C library, so link dynamically if that fails.
    const failure = compileErrorOf([...args, "-static"], sources) === null ? null : compileErrorOf(args, sources);
    if (failure !== null) throw new Error(`this package has no supervisor for ${architecture}, and ${failure}`);
    flush(made);
    renameSync(made, path);
    report(`compiled a supervisor for ${architecture}: ${path}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The flags of supervisor/Makefile that matter at run time. */
const flags = ["-std=c11", "-D_GNU_SOURCE", "-D_LARGEFILE64_SOURCE", "-O2", "-fstack-protector-strong", "-Wl,-z,relro,-z,now"];

const remedy = "(Debian: apt-get install gcc libc6-dev; Fedora: dnf install gcc; Alpine: apk add gcc musl-dev linux-headers)";

/** Why the compilation failed, or null. */
function compileErrorOf(args: string[], folder: string): string | null {
  const { error, status, stderr } = spawnSync("cc", args, { cwd: folder, encoding: "utf8" });
  if (codeOf(error) === "ENOENT") return `there is no C compiler to build one: install it ${remedy}`;
  if (error !== undefined) return `the C compiler cannot be started (${error.message})`;
  if (status === 0) return null;
  const line = stderr.split("\n").find((text) => text.includes("error")) ?? stderr;
  return `the C compiler fails (${line.trim()}): check that it is installed completely ${remedy}`;
}

/** After a power cut, the name must not lead to an empty file. */
function flush(path: string): void {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}
