import { strict as assert } from "node:assert";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { engineTest } from "./helper/engines.ts";
import { repository, startService } from "./helper/service.ts";
import { needsScript, onTerminal } from "./helper/terminal.ts";
import { cannotBe, startAs } from "./helper/users.ts";

/** What jobs do not inherit from the service. The rest of docs/security.md's list is tested beside the supervisor. */

const user = { name: "54397", uid: 54397, gid: 54397 };

test(
  "a service of an ordinary user that may listen on low ports does not pass this capability to its jobs",
  { skip: cannotBe(user, user.name) },
  async (t) => {
    const port = await freeLowPort();
    const privileges = ["--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service"];
    const service = await startAs(t, user, { JOBRUNNER_PORT: String(port) }, privileges);
    assert.equal(service.port, port);
    const { output } = await service.run({ CommandLine: "id -u; grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status" });
    assert.equal(output.toString(), `54397\n${["Inh", "Prm", "Eff", "Amb"].map((set) => `Cap${set}:\t0000000000000000\n`).join("")}`);
  },
);

test("a job has no controlling terminal, although its service was started on one", needsScript, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-terminal-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, "jobrunner");
  const words = onTerminal(`${join(repository, "bin", "jobrunner")} < /dev/tty`).map((word) => `'${word}'`);
  writeFileSync(program, `#!/bin/sh\nexec ${words.join(" ")}\n`, { mode: 0o755 });
  const service = await startService(t, { program });
  const { job, output } = await service.run({ CommandLine: "ps -o tty= -p $$; : < /dev/tty" });
  assert.deepEqual([job.State, output.toString()], ["Failed", "?\nbash: line 1: /dev/tty: No such device or address\n"]);
});

engineTest("a container does not inherit the priority of the service that started its engine's client", async (t, engine) => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-nice-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, "jobrunner");
  writeFileSync(program, `#!/bin/sh\nexec nice -n -5 ionice -c best-effort -n 0 ${join(repository, "bin", "jobrunner")} "$@"\n`, {
    mode: 0o755,
  });
  const service = await startService(t, { program, environment: engine.environment });
  const { output } = await service.run({
    Commands: [{ Image: "busybox", CommandLine: "set -- $(cat /proc/self/stat); echo ${19}; ionice" }],
  });
  assert.equal(output.toString(), "0\nnone: prio 0\n");
});

async function freeLowPort(): Promise<number> {
  for (let port = 1023; port > 512; port -= 1) {
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    server.close();
    if (isFree) return port;
  }
  throw new Error("no port below 1024 is free");
}
