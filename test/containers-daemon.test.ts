import { strict as assert } from "node:assert";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { WholeJob } from "../src/client/index.ts";
import { type Engine, engineTest } from "./helper/engines.ts";
import { startService } from "./helper/service.ts";

/** Containers that are finished: whom the service asks what became of them. */

/** What a job's containers were like, and for what the client was run meanwhile. */
type Seen = { job: WholeJob; words: string[]; left: string[] };

/** The client is the real one, behind a script that keeps the first word of each of its runs. */
async function runBehind(t: TestContext, engine: Engine, script = ""): Promise<Seen> {
  const folder = mkdtempSync(join(tmpdir(), "jr-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [client, log] = [join(folder, engine.name), join(folder, "words")];
  writeFileSync(client, `#!/bin/sh\necho "$1" >> ${log}\n${script}\nexec ${engine.name} "$@"\n`, { mode: 0o755 });
  const service = await startService(t, { environment: { ...engine.environment, JOBRUNNER_CONTAINER_ENGINE: client } });
  const steps = [
    { Image: "busybox", CommandLine: "exit 3", IgnoreError: true },
    { Image: "busybox", Args: ["true"], Resources: { MemoryBytes: 64 << 20 } },
  ];
  const { job } = await service.run({ Commands: steps });
  return { job, words: readFileSync(log, "utf8").split("\n"), left: await engine.containersOf(job.ID) };
}

function assertRight({ job, left }: Seen): void {
  assert.deepEqual([job.State, job.Steps.map(({ ExitCode }) => ExitCode)], ["Succeeded", [3, 0]], JSON.stringify(job));
  assert.deepEqual(left, []);
}

engineTest(
  "a Docker daemon of this box is asked itself about containers that are finished, and to remove them",
  async (t, engine) => {
    const seen = await runBehind(t, engine);
    assertRight(seen);
    assert.deepEqual(seen.words.filter((word) => word === "run").length, 2);
    assert.ok(!seen.words.includes("inspect") && !seen.words.includes("rm"), seen.words.join(" "));
  },
  ["docker"],
);

engineTest(
  "where the daemon's own socket is not known, does not answer, or is another's than the client asks now, its client is asked",
  async (t, engine) => {
    const contexts = ["ssh://elsewhere", "unix:///nowhere/docker.sock", "unix:///dev/null", await otherDaemon(t)];
    for (const host of contexts) {
      const seen = await runBehind(t, engine, `[ "$1" = context ] && exec echo ${host}`);
      assertRight(seen);
      assert.ok(seen.words.includes("inspect") && seen.words.includes("rm"), seen.words.join(" "));
    }
  },
  ["docker"],
);

/** What a daemon says that has none of our containers. */
async function otherDaemon(t: TestContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "jr-"));
  const path = join(folder, "docker.sock");
  const server = createServer(({ url }, response) => response.writeHead(404).end(JSON.stringify({ message: `No such container: ${url}` })));
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return `unix://${path}`;
}
