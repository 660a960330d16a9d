import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { JobSpec } from "../src/job/spec.ts";
import { Service } from "./helper/service.ts";
import { isTorture } from "./helper/torture.ts";
import { isAlive } from "./helper/processes.ts";
import { waitFor } from "./helper/wait.ts";

/** What must be true of a job after any order of operations. */
type Expectation = {
  id: string;
  kind: "quick" | "waiting";
  exitCode: number;
  goPath: string;
  isReleased: boolean;
  isKilled: boolean;
  isOrphaned: boolean; // its supervisor was killed
  isRemoved: boolean;
  certainState: string | null; // null: only the job tells whether it ended or was killed first
};
const finalStates = /^(Succeeded|Failed|Killed|Lost)$/;
type Model = { jobs: Expectation[]; isUp: boolean };
type Real = { service: Service; goDir: string };
type Step = fc.AsyncCommand<Model, Real>;

class Submit implements Step {
  readonly kind: Expectation["kind"];
  readonly exitCode: number;
  constructor(kind: Expectation["kind"], exitCode: number) {
    this.kind = kind;
    this.exitCode = exitCode;
  }
  check = (model: Readonly<Model>): boolean => model.isUp;
  async run(model: Model, { service, goDir }: Real): Promise<void> {
    const goPath = join(goDir, String(model.jobs.length));
    const wait = this.kind === "waiting" ? 'until [ -e "$GO" ]; do sleep 0.01; done; ' : "";
    const spec: JobSpec = { Environment: { GO: goPath }, CommandLine: `echo begun; ${wait}echo ended; exit ${this.exitCode}` };
    const id = await service.submit(spec);
    model.jobs.push({
      id,
      kind: this.kind,
      exitCode: this.exitCode,
      goPath,
      isReleased: false,
      isKilled: false,
      isOrphaned: false,
      isRemoved: false,
      certainState: null,
    });
  }
  toString = (): string => `submit(${this.kind}, ${this.exitCode})`;
}

abstract class OnJob implements Step {
  readonly index: number;
  constructor(index: number) {
    this.index = index;
  }
  abstract readonly name: string;
  abstract act(job: Expectation, real: Real, model: Model): Promise<void>;
  check = (model: Readonly<Model>): boolean => model.isUp && model.jobs.length > 0;
  async run(model: Model, real: Real): Promise<void> {
    const job = model.jobs[this.index % model.jobs.length];
    assert.ok(job !== undefined);
    await this.act(job, real, model);
  }
  toString = (): string => `${this.name}(${this.index})`;
}

class Kill extends OnJob {
  readonly name = "kill";
  async act(job: Expectation, { service }: Real): Promise<void> {
    if (!job.isRemoved) await this.#foresee(job, service);
    await service.kill(job.id);
    job.isKilled = true;
    if (job.isRemoved) return;
    const { State } = await service.get(job.id);
    assert.match(State, finalStates);
    if (job.certainState !== null) assert.equal(State, job.certainState);
  }

  /** A finished job does not change. A job that waits for an event that has not happened can end only by the kill. */
  async #foresee(job: Expectation, service: Service): Promise<void> {
    const { State } = await service.get(job.id);
    if (finalStates.test(State)) job.certainState = State;
    else if (job.isOrphaned) job.certainState = "Lost";
    else if (job.kind === "waiting" && !job.isReleased) job.certainState = "Killed";
  }
}

class Release extends OnJob {
  readonly name = "release";
  async act(job: Expectation): Promise<void> {
    writeFileSync(job.goPath, "");
    job.isReleased = true;
  }
}

class Attach extends OnJob {
  readonly name = "attach";
  async act(job: Expectation, { service }: Real): Promise<void> {
    const answer = await service.call("GET", `/${job.id}/attach?follow=false`);
    assert.equal(answer.status, job.isRemoved ? 404 : 200);
    if (!job.isRemoved) assert.ok("begun\nended\n".startsWith(answer.text), answer.text);
  }
}

class Remove extends OnJob {
  readonly name = "remove";
  async act(job: Expectation, { service }: Real): Promise<void> {
    const { status } = await service.call("DELETE", `/jobs/${job.id}`);
    assert.ok(job.isRemoved ? status === 404 : [200, 204, 409].includes(status), String(status));
    if (status !== 409) job.isRemoved = true;
  }
}

class KillSupervisor extends OnJob {
  readonly name = "killSupervisor";
  async act(job: Expectation, { service }: Real): Promise<void> {
    if (job.isRemoved || job.kind !== "waiting" || job.isReleased || job.isKilled || job.isOrphaned) return;
    const pid = await service.supervisor(job.id);
    process.kill(pid, "SIGKILL");
    job.isOrphaned = true;
    await waitFor("it is dead", () => !isAlive(pid));
  }
}

class Crash implements Step {
  check = (model: Readonly<Model>): boolean => model.isUp;
  async run(model: Model, { service }: Real): Promise<void> {
    await service.crash();
    model.isUp = false;
  }
  toString = (): string => "crash";
}

class Start implements Step {
  check = (model: Readonly<Model>): boolean => !model.isUp;
  async run(model: Model, { service }: Real): Promise<void> {
    await service.start();
    model.isUp = true;
  }
  toString = (): string => "start";
}

const index = fc.nat({ max: 9 });
const steps = [
  fc.tuple(fc.constantFrom("quick" as const, "waiting" as const), fc.nat({ max: 3 })).map(([kind, code]) => new Submit(kind, code)),
  index.map((at) => new Kill(at)),
  index.map((at) => new Release(at)),
  index.map((at) => new Attach(at)),
  index.map((at) => new Remove(at)),
  index.map((at) => new KillSupervisor(at)),
  fc.constant(new Crash()),
  fc.constant(new Start()),
];

test(
  "submit, attach, kill, remove, crash and start in any order: every job is in a correct state",
  { timeout: 4 * 3_600_000 },
  async () => {
    const property = fc.asyncProperty(fc.commands(steps, { maxCommands: 25 }), async (commands) => {
      const root = mkdtempSync(join(tmpdir(), "jobrunner-model-"));
      const service = new Service(join(root, "state"));
      const goDir = join(root, "go");
      mkdirSync(goDir);
      const model: Model = { jobs: [], isUp: true };
      await service.start();
      try {
        await fc.asyncModelRun(() => ({ model, real: { service, goDir } }), commands);
        if (!model.isUp) await service.start();
        for (const job of model.jobs) await assertOutcome(service, job);
      } finally {
        await service.tearDown();
        rmSync(root, { recursive: true, force: true });
      }
    });
    await fc.assert(property, { numRuns: isTorture ? 2000 : 15, endOnFailure: true });
  },
);

async function assertOutcome(service: Service, job: Expectation): Promise<void> {
  if (job.isRemoved) return assert.equal((await service.call("GET", `/${job.id}`)).status, 404);
  writeFileSync(job.goPath, "");
  const { State, ExitCode, Reason } = await service.wait(job.id);
  const ended = job.exitCode === 0 ? "Succeeded" : "Failed";
  const allowed = job.isOrphaned ? ["Lost"] : job.isKilled ? ["Killed", ended] : [ended];
  if (job.certainState !== null) assert.equal(State, job.certainState);
  assert.ok(allowed.includes(State), `${JSON.stringify(job)} is ${State} (${Reason})`);
  if (State === ended) {
    assert.equal(ExitCode, job.exitCode);
    assert.equal((await service.output(job.id)).toString(), "begun\nended\n");
  }
}
