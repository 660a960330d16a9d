import { chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandsOf, type JobSpec } from "../job/spec.ts";
import type { Account } from "./accounts.ts";
import type { ActiveJob } from "./active-job.ts";
import type { Engine } from "./containers/engine.ts";
import { envFileName, makeStreams, writeEngine } from "./containers/files.ts";
import { makePlan, stdinFileName } from "./plan.ts";
import { makeUserWorkspace, makeWorkspaceForAll } from "./workspaces.ts";
import { codeOf } from "../lib/error-code.ts";

/** The files in a job's directory that the service writes. Only the service's user can read them (0600). */

const draftName = "plan.new";

/** What a launch needs: the whole spec with its secrets, and the account that the steps run as; null: the service's. */
export type LaunchRequest = { spec: JobSpec; account: Account | null };

export type LaunchEnvironment = { shell: string; cgroupParent: string | null; instance: string; engine: Engine | null };

/**
 * Writes everything that the supervisor needs. The plan comes last, and appears under its name only when it is complete. May be repeated.
 */
export function writeJobDirectory(
  job: ActiveJob,
  { spec, account }: LaunchRequest,
  { shell, cgroupParent, instance, engine }: LaunchEnvironment,
): void {
  const { directory, id } = job;
  const containers = job.hasContainers && engine !== null ? { engine, instance } : null;
  makeFolder(directory);
  if (containers !== null) makeWorkspaceForAll(directory);
  if (account !== null) makeUserWorkspace(directory, account);
  if (spec.Stdin !== undefined) writeStdin(directory, spec.Stdin, account);
  const cgroup = cgroupParent === null ? null : join(cgroupParent, id);
  const plan = makePlan(spec, { id, directory, shell, cgroup, account, containers });
  for (const { step, text } of plan.envFiles) writeFileSync(join(directory, envFileName(step)), text, { mode: 0o600 });
  for (const streams of plan.streams) makeStreams(directory, streams);
  if (containers !== null) writeEngine(directory, { client: containers.engine.client, image: imageOf(spec) });
  const draft = `${directory}/${draftName}`;
  writeFileSync(draft, plan.bytes, { mode: 0o600 });
  renameSync(draft, `${directory}/plan`);
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/** Removes the files with secrets of a finished job, which nobody reads any more. */
export function forgetSecrets(job: ActiveJob): void {
  if (!job.hasSecrets) return;
  for (const name of ["plan", draftName, ...job.containerSteps.map(envFileName)]) rmSync(join(job.directory, name), { force: true });
}

/** A job may open /dev/stdin again, so its user must own the file. */
function writeStdin(directory: string, text: string, account: Account | null): void {
  const path = join(directory, stdinFileName);
  writeFileSync(path, text, { mode: 0o600 });
  if (account !== null) chownSync(path, account.uid, account.gid);
}

function imageOf(spec: JobSpec): string {
  return commandsOf(spec).find(({ Image }) => Image !== undefined)?.Image ?? "";
}
