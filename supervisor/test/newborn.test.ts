import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Box, isWrapped, type Plan, type Step } from "./harness.ts";

/** How a step's process is created: that of a plain job shares its supervisor's memory until it executes the step's command. */

const isSanitized = process.env["ASAN_OPTIONS"] !== undefined;
const isKnown = ["x64", "arm64"].includes(process.arch) && !isWrapped && !isSanitized;
const skipped = isKnown ? false : "left out: valgrind, sanitizers and other processors have copies made";
const hasStrace = spawnSync("strace", ["-V"]).status === 0;

/** The system calls that created the job's processes, up to their commands. */
async function made(plan: Plan): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "supervisor-test-"));
  const log = join(folder, "calls");
  const box = new Box();
  box.wrapper = ["strace", "-f", "-qqq", "-o", log, "-e", "trace=clone,clone3,fork,vfork"];
  try {
    await box.run(plan).finished();
  } finally {
    await box.close();
  }
  const calls = readFileSync(log, "latin1")
    .split("\n")
    .filter((line) => /flags=/.test(line));
  rmSync(folder, { recursive: true });
  return calls.slice(1); // the first one created the supervisor
}

const steps: Step[] = [{ args: ["/bin/true"] }, { args: ["true"] }];

test(
  "for a plain job, no memory of the supervisor is copied",
  { skip: hasStrace ? skipped : "left out: strace is not installed" },
  async () => {
    const calls = await made({ steps });
    assert.equal(calls.length, 2);
    for (const call of calls) assert.match(call, /clone3\(\{flags=CLONE_VM\|/);
  },
);

const apart: { name: string; more: Partial<Plan>; needsRoot: boolean }[] = [
  { name: "secrets", more: { secrets: ["a secret"] }, needsRoot: false },
  { name: "a user", more: { user: "0 0" }, needsRoot: true },
  { name: "SIGQUIT to stop it", more: { stopSignal: 3 }, needsRoot: false },
];

for (const { name, more, needsRoot } of apart) {
  const isAllowed = hasStrace && (!needsRoot || process.getuid?.() === 0);
  test(`a process of a job with ${name} shares no memory`, { skip: isAllowed ? skipped : "left out: needs strace, and root" }, async () => {
    const calls = await made({ ...more, steps });
    assert.equal(calls.length, 2);
    for (const call of calls) assert.doesNotMatch(call, /CLONE_VM/);
  });
}

test("a command that cannot be executed leaves the supervisor unchanged", async () => {
  const many = Array.from({ length: 300 }, (_, number) => `argument ${number}`);
  const failing: Step[] = [
    { args: ["true"], workdir: "/nowhere" },
    { args: ["/nowhere/program", ...many] },
    { args: ["no such program", ...many] },
    { args: ["/etc/passwd"] },
    { args: ["x".repeat(300)] },
    { args: [`/${"x/".repeat(3000)}`] },
    { args: ["true", "x".repeat(200_000)] },
  ];
  const box = new Box();
  try {
    const each = failing.flatMap((step) => [{ ...step, ignoreError: true }, { args: ["printf", "%s\n", ...many] }]);
    const job = await box.run({ steps: each }).finished();
    assert.deepEqual(
      job.lines("fail").map(([step, , stage, error]) => [step, stage, error]),
      [
        ["1", "workdir", "2"],
        ["3", "exec", "2"],
        ["5", "exec", "2"],
        ["7", "exec", "13"],
        ["9", "exec", "36"],
        ["11", "exec", "36"],
        ["13", "exec", "7"],
      ],
    );
    for (let step = 2; step <= each.length; step += 2) assert.equal(job.part(step, 1), `${many.join("\n")}\n`);
  } finally {
    await box.close();
  }
});
