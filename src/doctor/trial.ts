import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isFinal, type JobView } from "../job/job.ts";
import { Runner } from "../runner/runner.ts";
import { openState } from "../runner/state.ts";
import { type Box, type Finding, ok, problem } from "./box.ts";
import { supervisor } from "./programs.ts";

const timeoutMs = 10_000;

/** Runs a real job in a temporary state directory: kernels, system call filters and limits can prevent jobs in many ways. */
export async function trial(box: Box): Promise<Finding[]> {
  const { settings, supervisor: program } = box;
  // the check of the supervisor reports it
  if ("problem" in program || (await supervisor(box)).some(({ level }) => level === "problem")) return [];
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-doctor-"));
  try {
    const job = await runJob({ stateDir: folder, shell: settings.shell, cgroups: settings.cgroups, supervisorPath: program.path });
    if (job?.State === "Succeeded") return [ok("a test job succeeded")];
    const why = job === null ? `it did not finish within ${timeoutMs / 1000} s` : (job.Message ?? `its state is ${job.State}`);
    return [
      problem(`a test job did not succeed: ${why}`, "see docs/troubleshooting.md; in a container, check its security profile and limits"),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Trial = { stateDir: string; shell: string; cgroups: "auto" | "off"; supervisorPath: string };

/** Null: the job did not finish in time. */
async function runJob(trial: Trial): Promise<JobView | null> {
  const nothing = (): void => undefined;
  const observer = { submitted: nothing, admitted: nothing, finished: nothing };
  const rest = { containerEngine: "none", engineEnvironment: {}, allowedUsers: [], minFreeBytes: 0, maxRunning: 1, observer, log: nothing };
  const state = await openState({ ...trial, ...rest, onCommit: nothing });
  const runner = Runner.open({ ...trial, ...rest }, state);
  try {
    const result = await runner.submit({ spec: { CommandLine: "true" }, submitter: { name: "doctor", owner: null }, idempotency: null });
    if (result.kind !== "accepted") throw new Error(`the test job was not accepted (${result.kind})`);
    const found = runner.find(result.id);
    if (found === null) throw new Error("the test job was accepted, but cannot be found");
    const job = await runner.whenFinished(found, AbortSignal.timeout(timeoutMs));
    if (job !== null && isFinal(job.State)) return job;
    void runner.kill(found, { force: true, signal: AbortSignal.abort() }); // best effort: the job may not react to it either
    return null;
  } finally {
    runner.close();
    state.close();
  }
}
