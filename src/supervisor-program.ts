import { spawnSync } from "node:child_process";
import { closeSync, existsSync, fsyncSync, mkdtempSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeStateDir } from "./runner/state-dir.ts";
import { codeOf } from "./lib/error-code.ts";

/** The C program: what `make` built or the package brought, and where there is neither, what is compiled here at the first start. */

export type Installation = {
  /** The checkout, or the package's folder. */
  root: string;
  version: string;
  /** As Node names it: `x64`, `arm64`. */
  architecture: string;
  stateDir: string;
  /** Told what was made. */
  say: (sentence: string) => void;
};

/** Its path. Throws a sentence for people where there is none and none can be made. */
export function supervisorProgram(installation: Installation): string {
  const { root, version, architecture, stateDir } = installation;
  const brought = presentProgram({ root, architecture });
  if (brought !== undefined) return brought;
  if (existsSync(join(root, "src"))) throw new Error(`the supervisor is not built: run make in ${root}`);
  // Surely ours to write, and nobody else can put a program there.
  makeStateDir(stateDir);
  const path = join(stateDir, `supervisor-${version}-${architecture}`);
  if (!existsSync(path)) compile(path, installation);
  return path;
}

/** Its path where `make` built it or the package brought it. */
export function presentProgram({ root, architecture }: Pick<Installation, "root" | "architecture">): string | undefined {
  const built = join(root, "build", "jobrunner-supervisor");
  return [built, `${built}-${architecture}`].find((path) => existsSync(path));
}

/** Another start may be at it, too: each makes its own, and only a whole one ever gets the name. */
function compile(path: string, { root, version, architecture, say }: Installation): void {
  const folder = mkdtempSync(`${path}-`);
  try {
    const sources = join(root, "supervisor");
    const made = join(folder, "supervisor");
    const files = readdirSync(sources).filter((name) => name.endsWith(".c"));
    const args = [...flags, `-DJOBRUNNER_VERSION="${version}"`, "-o", made, ...files];
    // Not every system has a static C library.
    const refusal = refusalOf([...args, "-static"], sources) === null ? null : refusalOf(args, sources);
    if (refusal !== null) throw new Error(`no supervisor for ${architecture} came with this package, and ${refusal}`);
    flush(made);
    renameSync(made, path);
    say(`compiled a supervisor for ${architecture}: ${path}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Those of supervisor/Makefile that matter to who runs the program. */
const flags = ["-std=c11", "-D_GNU_SOURCE", "-D_LARGEFILE64_SOURCE", "-O2", "-fstack-protector-strong", "-Wl,-z,relro,-z,now"];

const remedy = "(Debian: apt-get install gcc libc6-dev; Fedora: dnf install gcc; Alpine: apk add gcc musl-dev linux-headers)";

/** Why the compiler made nothing, or null. */
function refusalOf(args: string[], folder: string): string | null {
  const { error, status, stderr } = spawnSync("cc", args, { cwd: folder, encoding: "utf8" });
  if (codeOf(error) === "ENOENT") return `there is no C compiler to make one: install it ${remedy}`;
  if (error !== undefined) return `the C compiler does not start (${error.message})`;
  if (status === 0) return null;
  const line = stderr.split("\n").find((text) => text.includes("error")) ?? stderr;
  return `the C compiler makes none (${line.trim()}): is all of it installed? ${remedy}`;
}

/** A power cut must not leave the name to an empty file. */
function flush(path: string): void {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}
