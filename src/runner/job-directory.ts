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

/** A job's directory, as far as the service writes it. All files are this user's alone (0600). */

const draftName = "plan.new";

/** What a job is launched with: all of its spec, secrets too, and as whom. */
export type LaunchRequest = { spec: JobSpec; account: Account | null };

export type LaunchEnvironment = { shell: string; cgroupParent: string | null; instance: string; engine: Engine | null };

/** All that the supervisor needs; the plan last, whole under its name. May be done again. */
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

/** Of a job that is finished, and so of what nobody reads any more. */
export function forgetSecrets(job: ActiveJob): void {
  if (!job.hasSecrets) return;
  for (const name of ["plan", draftName, ...job.containerSteps.map(envFileName)]) rmSync(join(job.directory, name), { force: true });
}

/** A job may open /dev/stdin anew, so the file is its user's. */
function writeStdin(directory: string, text: string, account: Account | null): void {
  const path = join(directory, stdinFileName);
  writeFileSync(path, text, { mode: 0o600 });
  if (account !== null) chownSync(path, account.uid, account.gid);
}

function imageOf(spec: JobSpec): string {
  return commandsOf(spec).find(({ Image }) => Image !== undefined)?.Image ?? "";
}
