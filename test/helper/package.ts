import { execFile } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { repository } from "./service.ts";

/** The npm package, packed and installed in a separate folder, and machines on which programs are missing. */

/** All programs of a machine that has only those that jobrunner needs, and mount for the test. */
export const bareBox = ["bash", "mkfifo", "mount", "readlink", "sh"];

export class Package {
  readonly folder = mkdtempSync(join(tmpdir(), "jobrunner-package-"));
  /** The folder of a project that depends on the package. */
  readonly project = join(this.folder, "project");
  /** The package's folder in the project. */
  readonly root = join(this.project, "node_modules", "jobrunner");
  tarball = "";

  /** Packed in a copy of the checkout, because other tests use the checkout at the same time. */
  async make(): Promise<void> {
    chmodSync(this.folder, 0o755); // another user starts the program, too
    const checkout = join(this.folder, "checkout");
    const isMade = (path: string): boolean => ["node_modules", "build", "dist", ".git"].some((name) => path === join(repository, name));
    cpSync(repository, checkout, { recursive: true, filter: (path) => !isMade(path) });
    symlinkSync(join(repository, "node_modules"), join(checkout, "node_modules"));
    this.tarball = join(this.folder, (await output("npm", ["pack", "--silent", "--pack-destination", this.folder], checkout)).trim());
    rmSync(checkout, { recursive: true });
    await this.install("--prefix", this.project);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async install(...options: string[]): Promise<void> {
    mkdirSync(this.project, { recursive: true });
    await output(
      "npm",
      ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", ...options, this.tarball],
      this.project,
    );
  }

  /** Makes it look packed on a machine of another architecture; returns the function that undoes this. */
  hideSupervisor(): () => void {
    const path = join(this.root, "build", `jobrunner-supervisor-${process.arch}`);
    renameSync(path, `${path}-hidden`);
    return () => renameSync(`${path}-hidden`, path);
  }

  /** The project's program as it is started on a box without the checkout and, if so asked, with hardly a program. Only root can. */
  startOnBox({ isBare }: { isBare: boolean }): string {
    const programs = join(this.folder, "programs");
    mkdirSync(programs, { recursive: true });
    for (const name of bareBox) copyFileSync(join("/bin", name), join(programs, name));
    const hidden = new Set(isBare ? ["/usr/local/bin", "/usr/bin", "/bin"].map((path) => realpathSync(path)) : []);
    const mounts = [`mount -t tmpfs none ${repository}`, ...[...hidden].map((path) => `mount --bind ${programs} ${path}`)].join(" && ");
    return this.script(
      isBare ? "bare-box" : "box",
      `exec unshare --mount sh -c '${mounts} && exec "$0" "$@"' ${this.project}/node_modules/.bin/jobrunner "$@"`,
    );
  }

  script(name: string, text: string): string {
    const path = join(this.folder, basename(name));
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  }
}

export type Ran = { code: number; stdout: string; stderr: string };

export function run(program: string, args: string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): Promise<Ran> {
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, ...env } = process.env; // this test may itself be run by make
  return new Promise((resolve) => {
    execFile(program, args, { env, ...options }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
  });
}

async function output(program: string, args: string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, { cwd });
  if (code !== 0) throw new Error(`${program} ${args[0]}: ${stdout}${stderr}`);
  return stdout;
}
