import { strict as assert } from "node:assert";
import type { TestContext } from "node:test";
import type { Command, JobSpec } from "../src/job/spec.ts";
import { type Engine, engineTest } from "./helper/engines.ts";
import { type Service, startService } from "./helper/service.ts";
import { refused, runLargest } from "./helper/too-large.ts";

/**
 * What an engine, or the kernel behind it, does not take of a container is refused before it is accepted, and the most that may be runs.
 */

const mostBytes = 131_071;

async function start(t: TestContext, engine: Engine): Promise<Service> {
  return await startService(t, { environment: engine.environment });
}

function one(command: Partial<Command>, job: Partial<JobSpec> = {}): JobSpec {
  return { ...job, Commands: [{ Image: "busybox", Network: "none", ...command }] };
}

engineTest("a single part that is too large or too small for a container is refused by its field", async (t, engine) => {
  const service = await start(t, engine);
  const wide = "é".repeat(65_536); // half as many characters as may be
  const path = `/${"é".repeat(2100)}`;
  const cases: [JobSpec, string][] = [
    [one({ Args: ["echo", wide] }), "Commands[0].Args[1]"],
    [one({ CommandLine: `: ${wide}` }), "Commands[0].CommandLine"],
    [one({ Entrypoint: ["echo", wide] }), "Commands[0].Entrypoint[1]"],
    [one({ Entrypoint: ["x".repeat(mostBytes)] }), "Commands[0].Entrypoint[0]"], // the client gets it with an option's name
    [one({ Args: ["true"], Environment: { LONG: wide } }), "Commands[0].Environment.LONG"],
    [one({ Args: ["true"] }, { Secrets: { LONG: wide } }), "Secrets.LONG"],
    [one({ Args: ["true"], Mounts: [{ Source: path, Target: "/x" }] }), "Commands[0].Mounts[0].Source"],
    [one({ Args: ["true"], Mounts: [{ Source: "/tmp", Target: path }] }), "Commands[0].Mounts[0].Target"],
    [one({ Args: ["true"], Resources: { MemoryBytes: (6 << 20) - 1 } }), "Commands[0].Resources.MemoryBytes"],
    [one({ Args: ["true"], Resources: { CPUs: 0.009 } }), "Commands[0].Resources.CPUs"],
    [one({ Args: ["true"], Resources: { Pids: 0 } }), "Commands[0].Resources.Pids"],
    [one({ Args: ["true"], Resources: { Pids: 4_194_305 } }), "Commands[0].Resources.Pids"],
  ];
  for (const [spec, field] of cases) assert.equal((await refused(service, spec)).field, field);
  assert.deepEqual(await service.activeIds(), []);
});

engineTest("what is too much together for a container is refused by its largest part, and what just fits is run", async (t, engine) => {
  const service = await start(t, engine);
  const blocks = (count: number, first = ""): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, number) => [`B${number}`, `${first}${"x".repeat(100_000)}`]));
  const cases: [string, (last: string) => JobSpec][] = [
    ["Environment", (last) => one({ Args: ["echo", "ran"] }, { Environment: { ...blocks(20), LAST: last } })],
    // through the client's environment
    ["Commands[0].Environment", (last) => one({ Args: ["echo", "ran"], Environment: { ...blocks(20, '"'), LAST: last } })],
    ["Commands[0].Args", (last) => one({ Args: ["sh", "-c", "echo ran", ...Object.values(blocks(20)), last] })],
    ["Commands[0].Entrypoint", (last) => one({ Entrypoint: ["sh", "-c", "echo ran", ...Object.values(blocks(20)), last] })],
  ];
  for (const [field, spec] of cases) {
    const { job, output } = await runLargest(service, field, spec);
    assert.deepEqual([job.State, output], ["Succeeded", "ran\n"], `${field}: ${job.Message}`);
  }
  const mounts = Array.from({ length: 1000 }, (_, number) => ({ Source: "/tmp", Target: `/${number}/${"y".repeat(3000)}` }));
  assert.equal((await refused(service, one({ Args: ["true"], Mounts: mounts }))).field, "Commands[0].Mounts");
});
