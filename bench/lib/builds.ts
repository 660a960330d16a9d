// The two builds that are measured in turns: this one and the previous one.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { repository, runProgram } from "./tools.ts";
import type { Scope } from "./scope.ts";

export type Build = {
  name: "this build" | "build before";
  /** The folder of the build. Benchmarks start its bin/jobrunner, as users do. */
  folder: string;
  /** The revision of its source, for the document. */
  revision: string;
};

export const thisBuild: Build = { name: "this build", folder: repository, revision: revisionOf(repository) };

export const programOf = ({ folder }: Build): string => join(folder, "bin", "jobrunner");

/**
 * The previous build, or why there is none. `wanted` is the folder of a built checkout, or a revision of this repository, which is built in
 * the folder of the scope. The default is the last tag or, without tags, the revision that last changed docs/benchmarks.md.
 */
export async function buildBefore(scope: Scope, wanted: string | undefined, progress: (text: string) => void): Promise<Build | string> {
  if (wanted !== undefined && existsSync(join(wanted, "bin", "jobrunner"))) {
    const folder = resolve(wanted);
    return { name: "build before", folder, revision: revisionOf(folder) };
  }
  const revision = git(repository, "rev-parse", "--verify", "--quiet", `${wanted ?? lastReported()}^{commit}`);
  if (revision === "")
    return wanted === undefined ? "this is no repository with a history" : `${wanted} is neither the folder of a build nor a revision`;
  const folder = join(scope.directory, "before");
  mkdirSync(folder);
  progress(`the build before, ${revision.slice(0, 7)}, is being made`);
  try {
    const script = 'git -C "$1" archive "$2" | tar -x -C "$3" && make -C "$3" all';
    await runProgram(scope, "/bin/sh", ["-c", script, "sh", repository, revision, folder], 300);
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n").at(-1) : String(error);
    return `${revision.slice(0, 7)} could not be built: ${why ?? ""}`;
  }
  return { name: "build before", folder, revision: revision.slice(0, 7) };
}

function lastReported(): string {
  const tag = git(repository, "describe", "--tags", "--abbrev=0");
  return tag === "" ? git(repository, "log", "-1", "--format=%H", "--", "docs/benchmarks.md") : tag;
}

function revisionOf(folder: string): string {
  const revision = git(folder, "rev-parse", "--short", "HEAD");
  if (revision === "") return "unknown";
  return git(folder, "status", "--porcelain", "--untracked-files=no") === "" ? revision : `${revision}, changed`;
}

function git(folder: string, ...args: string[]): string {
  try {
    return execFileSync("git", ["-C", folder, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}
