import { strict as assert } from "node:assert";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { EventsPosition, WholeJob } from "../src/client/index.ts";
import type { JobView } from "../src/job/job.ts";
import { shortCommand } from "../src/job/short-command.ts";
import type { JobSpec } from "../src/job/spec.ts";
import { type Service, startService } from "./helper/service.ts";
import { bearer, createToken, fromElsewhere } from "./helper/tokens.ts";

/** What tells jobs without a name apart: their command, shortened. */

test("the command is the first step's, on one line, shortened, with the number of the others", () => {
  const cases: [JobSpec, string][] = [
    [{ CommandLine: "make && ./bench" }, "make && ./bench"],
    [{ CommandLine: "\n\n  set -e\n\tmake  all\r\n" }, "set -e ↵ make all"],
    [{ Commands: [{ Args: ["grep", "-r", "it's here", "", "a=b"] }] }, `grep -r 'it'\\''s here' '' a=b`],
    [{ Commands: [{ Image: "debian:12" }] }, "debian:12"],
    [{ Commands: [{ Image: "debian:12", Entrypoint: ["/bin/cat", "-n"], Args: ["/etc/os-release"] }] }, "/bin/cat -n /etc/os-release"],
    [{ Commands: [{ CommandLine: "make" }, { Args: ["x"] }] }, "make (+1 step)"],
    [{ Commands: [{ Args: ["y"] }, { Args: ["x"] }, { Args: ["x"] }] }, "y (+2 steps)"],
    [{ CommandLine: "x".repeat(120) }, "x".repeat(120)],
    [{ CommandLine: "x".repeat(121) }, `${"x".repeat(119)}…`],
    [{ CommandLine: "👩‍👩‍👧‍👦".repeat(130) }, `${"👩‍👩‍👧‍👦".repeat(119)}…`],
    [{ Commands: [{ CommandLine: "x".repeat(1_000_000) }, { Args: ["y"] }] }, `${"x".repeat(109)}… (+1 step)`],
  ];
  for (const [spec, expected] of cases) assert.equal(shortCommand(spec), expected);
});

test("a job shows its command in all states and places, to the role read, too; also a job that an older service recorded", async (t) => {
  const service = await startService(t);
  const running = await service.submit({ CommandLine: "until [ -e go ]; do sleep 0.01; done" });
  assert.equal((await commandsOf(service))[0], "until [ -e go ]; do sleep 0.01; done");
  await service.kill(running);
  const { position, job } = await watched(service, { CommandLine: "echo hello" });
  assert.equal(job.Command, "echo hello");
  const { job: long } = await service.run({ CommandLine: `echo long # ${"x".repeat(70_000)}` });
  await service.stop();
  forgetCommands(join(service.stateDir, "jobrunner.db"));
  await service.start();
  const reader = { ...fromElsewhere, ...bearer(await createToken(service, "reader", "read")) };
  // A long spec is not read for a list.
  assert.deepEqual(await commandsOf(service, reader), [null, "echo hello", "true", "until [ -e go ]; do sleep 0.01; done"]);
  assert.equal((await service.get(job.ID)).Command, "echo hello");
  assert.match((await service.get(long.ID)).Command ?? "", /^echo long # x+…$/);
  for await (const event of service.client().events({ position })) {
    if (event.kind !== "job" || event.job.ID !== job.ID) continue;
    assert.equal(event.job.Command, "echo hello");
    break;
  }
});

/** Runs a job, and tells where events were before its end. */
async function watched(service: Service, spec: JobSpec): Promise<{ position: EventsPosition; job: WholeJob }> {
  const position: EventsPosition = { id: null };
  for await (const { kind } of service.client().events({ position })) {
    if (kind === "open") await service.submit({ CommandLine: "true" });
    if (position.id !== null) break;
  }
  return { position, job: (await service.run(spec)).job };
}

async function commandsOf(service: Service, headers: Record<string, string> = {}): Promise<(string | null)[]> {
  const { Jobs }: { Jobs: JobView[] } = JSON.parse((await service.call("GET", "/jobs", { headers })).text);
  return Jobs.map(({ Command }) => Command);
}

/** What older services recorded: views without a command. */
function forgetCommands(path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec("UPDATE jobs SET view = json_remove(view, '$.Command')");
  } finally {
    database.close();
  }
}
