import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { findLargeStep, isSurelySmall, maxTotalBytes } from "../job/size.ts";
import { commandsOf, type FieldProblem, isMerged, type JobSpec } from "../job/spec.ts";
import { type Account, Accounts } from "./accounts.ts";
import type { Engine } from "./containers/engine.ts";
import type { EngineFinder } from "./containers/finder.ts";
import type { DiskReserve } from "./disk.ts";
import { containerProcesses, hostArguments, variablesAround } from "./plan.ts";
import { stackLimitBytes } from "./stack-limit.ts";
import type { SubmitResult } from "./submission.ts";

export type Acceptance = { kind: "acceptable"; account: Account | null } | Exclude<SubmitResult, { kind: "accepted" | "conflict" }>;

export type PreflightDependencies = { disk: DiskReserve; finder: EngineFinder; allowedUsers: string[]; shell: string; jobsDir: string };

/** Checks, before a job is accepted, whether this box can run it. */
export class PreflightCheck {
  readonly #dependencies: PreflightDependencies;
  readonly #accounts: Accounts;
  readonly #mostBytes = maxTotalBytes(stackLimitBytes());

  constructor(dependencies: PreflightDependencies) {
    this.#dependencies = dependencies;
    this.#accounts = new Accounts(dependencies.allowedUsers);
  }

  async check(spec: JobSpec): Promise<Acceptance> {
    const { disk, finder } = this.#dependencies;
    if (!disk.hasRoom()) return { kind: "disk-full" };
    let engine: Engine | null = null;
    if (commandsOf(spec).some(({ Image }) => Image !== undefined)) {
      const found = await finder.find();
      if (found.kind !== "ready") return { kind: found.kind === "none" ? "no-engine" : "silent-engine", problem: found.problem };
      engine = found.engine;
      const problem = engine.hasOwnInit ? null : findMerged(spec);
      if (problem !== null) return { kind: "not-mergeable", problem };
    }
    const found = spec.User === undefined ? null : await this.#accounts.find(spec.User);
    if (found?.kind === "refused") return { kind: "user-refused", problem: found.problem };
    const account = found?.account ?? null;
    if (engine === null && isSurelySmall(spec)) return { kind: "acceptable", account };
    const problem = this.#findSizeProblem(spec, account, engine);
    return problem === null ? { kind: "acceptable", account } : { kind: "too-large", problem };
  }

  #findSizeProblem(spec: JobSpec, account: Account | null, engine: Engine | null): FieldProblem | null {
    const { shell, jobsDir } = this.#dependencies;
    const context = { id: anyId, directory: join(jobsDir, anyId), account };
    return findLargeStep(spec, {
      mostBytes: this.#mostBytes,
      variables: { ...variablesAround(context), JOBRUNNER_STEP: "1000" },
      argumentsOf: (command) => hostArguments(command, shell),
      containerProcesses: (index) =>
        engine === null ? [] : containerProcesses(spec, index, { ...context, containers: { engine, instance: anyId } }),
    });
  }
}

/** Without its own way to the supervisor, a container's output comes through the engine's client, in two streams without a common order. */
function findMerged(spec: JobSpec): FieldProblem | null {
  const index = commandsOf(spec).findIndex((command) => command.Image !== undefined && isMerged(spec, command));
  if (index < 0) return null;
  const message =
    "cannot be merged in a container on this box, because its engine passes both streams on without their order: give separate, or " +
    "redirect in the command itself (exec 2>&1)";
  return { field: `Commands[${index}].Output`, message };
}

/** All IDs have the same length. */
const anyId = randomUUID();
