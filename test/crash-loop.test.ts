import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { JobSpec } from "../src/job/spec.ts";
import { type Service, startService } from "./helper/service.ts";
import { isTorture } from "./helper/torture.ts";
import { waitFor } from "./helper/wait.ts";

const rounds = isTorture ? 500 : 12;
const jobsPerRound = 6;
const linesPerStep = 300;
const answersAwaited = 3;

test("killed at random moments, the service loses, repeats and reorders nothing", { timeout: 8 * 3_600_000 }, async (t) => {
  const service = await startService(t);
  const jobs: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const answered: string[] = [];
    const submit = async (index: number): Promise<void> => void answered.push(await service.submit(numberedLines((round + index) % 4)));
    const settled = Promise.allSettled(Array.from({ length: jobsPerRound }, (_, index) => submit(index)));
    // On a slow machine the crash may come before any answer in one round; in the next it comes after some.
    if (round % 2 === 1) await waitFor("some submissions are answered", () => answered.length >= answersAwaited);
    await setTimeout(Math.random() * 60);
    await service.crash();
    await settled;
    jobs.push(...answered);
    await service.start();
    for (const id of jobs.slice(-3 * jobsPerRound)) await assertPrefix(service, id);
  }
  assert.ok(jobs.length > rounds, `${jobs.length} jobs were answered`);
  for (const [index, id] of jobs.entries()) await assertWhole(service, id, index);
});

/** Two steps of numbered lines, written to the output and to a file; the second one's exit code is known. */
function numberedLines(exitCode: number): JobSpec {
  const lines = `for ((i = 0; i < ${linesPerStep}; i++)); do echo "$JOBRUNNER_STEP $i" | tee -a lines; done`;
  const counted = "echo run >> runs; ";
  return {
    Labels: { code: String(exitCode) },
    Commands: [{ CommandLine: `${counted}${lines}` }, { CommandLine: `${lines}; exit ${exitCode}` }],
  };
}

async function assertPrefix(service: Service, id: string): Promise<void> {
  const output = (await service.output(id, "?follow=false")).toString();
  assert.equal(output, expectedLines().slice(0, output.length), `job ${id}`);
}

async function assertWhole(service: Service, id: string, index: number): Promise<void> {
  const job = await service.wait(id);
  const code = Number(job.Labels["code"]);
  assert.deepEqual([job.State, job.ExitCode], code === 0 ? ["Succeeded", 0] : ["Failed", code], `job ${index}: ${job.Message}`);
  const output = await service.output(id);
  const work = join(service.stateDir, "jobs", id, "work");
  assert.equal(hash(output), hash(readFileSync(join(work, "lines"))), `job ${index}`);
  assert.equal(output.toString(), expectedLines(), `job ${index}`);
  assert.equal(readFileSync(join(work, "runs"), "utf8"), "run\n", `job ${index} ran once`);
}

function expectedLines(): string {
  return [1, 2].flatMap((step) => Array.from({ length: linesPerStep }, (_, line) => `${step} ${line}\n`)).join("");
}

function hash(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
