import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { JobSpec } from "../src/job/spec.ts";
import { repository, type Service, startService } from "./helper/service.ts";
import { refused, runLargest } from "./helper/too-large.ts";

/** Arguments and variables that the kernel does not accept (execve(2)) are refused at submission; all others run. */

const mostBytes = 131_071;

test("a string with too many bytes is refused by its field, whatever its number of characters", async (t) => {
  const service = await startService(t);
  const wide = "é".repeat(65_536); // half as many characters as allowed
  const name = "N".repeat(1000);
  const cases: [JobSpec, string][] = [
    [{ CommandLine: `: ${wide}` }, "CommandLine"],
    [{ Commands: [{ CommandLine: "true" }, { CommandLine: `: ${wide}` }] }, "Commands[1].CommandLine"],
    [{ Commands: [{ Args: ["echo", "short", wide] }] }, "Commands[0].Args[2]"],
    [{ Commands: [{ Args: ["🐢".repeat(32_768)] }] }, "Commands[0].Args[0]"],
    [{ CommandLine: "true", Environment: { SHORT: "x", LONG: wide } }, "Environment.LONG"],
    [{ Commands: [{ CommandLine: "true", Environment: { LONG: wide } }] }, "Commands[0].Environment.LONG"],
    [{ CommandLine: "true", Secrets: { LONG: wide } }, "Secrets.LONG"],
    [{ CommandLine: "true", Environment: { [name]: "x".repeat(mostBytes - name.length) } }, `Environment.${name}`],
    [{ CommandLine: `-${"x".repeat(mostBytes - 1)}` }, "CommandLine"], // the shell's argument has one byte more
  ];
  for (const [spec, field] of cases) {
    const problem = await refused(service, spec);
    assert.equal(problem.field, field);
    assert.match(problem.message, /131071 bytes as UTF-8/);
  }
  const path = "/é".repeat(2000);
  for (const [spec, field] of [
    [{ CommandLine: "true", WorkingDir: path }, "WorkingDir"],
    [{ Commands: [{ CommandLine: "true", WorkingDir: path }] }, "Commands[0].WorkingDir"],
    [{ Commands: [{ CommandLine: "true", Shell: path }] }, "Commands[0].Shell"],
  ] satisfies [JobSpec, string][]) {
    assert.equal((await refused(service, spec)).field, field);
  }
  assert.deepEqual(await service.activeIds(), []);
});

test("the longest allowed strings are run", async (t) => {
  const service = await startService(t);
  const line = ": ${#A} > /dev/null; echo ${#A} ${#0} #";
  const rest = mostBytes - line.length;
  const padded = `${line}${"x".repeat(rest % 2)}${"é".repeat((rest - (rest % 2)) / 2)}`;
  assert.equal(Buffer.byteLength(padded), mostBytes);
  const { job, output } = await service.run({ CommandLine: padded, Environment: { A: "x".repeat(mostBytes - 2) } });
  assert.equal(job.State, "Succeeded", job.Message ?? "");
  assert.equal(output.toString(), `${mostBytes - 2} 4\n`);
});

/** A service whose jobs have stacks of 4 MiB, and therefore one MiB for arguments and variables. */
async function startWithSmallStack(t: TestContext): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-size-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, "jobrunner");
  writeFileSync(program, `#!/bin/sh\nulimit -s 4096\nexec ${join(repository, "bin", "jobrunner")} "$@"\n`, { mode: 0o755 });
  return await startService(t, { program });
}

test("values that are together too large are refused by the largest one, and values that just fit run, also in scripts", async (t) => {
  const service = await startWithSmallStack(t);
  const blocks = (count: number, of = "x".repeat(100_000)): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, number) => [`B${number}`, of]));
  const make = { CommandLine: "printf '#!/bin/sh\\necho ran\\n' > tool; chmod +x tool" };
  const tool = ["./tool"];
  const cases: [string, (last: string) => JobSpec][] = [
    ["Environment", (last) => ({ Environment: { ...blocks(10), LAST: last }, Commands: [make, { Args: tool }] })],
    [
      "Commands[1].Environment",
      (last) => ({
        Environment: { B0: "hidden by the step's" },
        Commands: [make, { Args: tool, Environment: { ...blocks(10), LAST: last } }],
      }),
    ],
    ["Commands[1].Args", (last) => ({ Commands: [make, { Args: [...tool, ...Object.values(blocks(10)), last] }] })],
    [
      "Secrets",
      (last) => ({
        Secrets: blocks(5, "€".repeat(43_000)),
        Environment: { ...Object.fromEntries(Object.entries(blocks(3)).map(([name, value]) => [`E${name}`, value])), LAST: last },
        Commands: [make, { Args: tool }],
      }),
    ],
  ];
  for (const [field, spec] of cases) {
    const { job, output } = await runLargest(service, field, spec);
    assert.deepEqual([job.State, output], ["Succeeded", "ran\n"], `${field}: ${job.Message}`);
  }
});
