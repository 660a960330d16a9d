import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { probeCgroups } from "../src/runner/local/cgroups.ts";
import { cgroupModes } from "./helper/cgroups.ts";
import { repository, startService } from "./helper/service.ts";

test("the reasons for missing cgroups are distinguished: absent, forbidden, or failed for another reason", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-cgroups-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "own"));
  writeFileSync(join(folder, "file"), "");
  const probe = (mount: string, own: string): string => {
    writeFileSync(join(folder, "mountinfo"), mount === "" ? "" : `30 23 0:26 / ${mount} rw - cgroup2 cgroup2 rw\n`);
    writeFileSync(join(folder, "cgroup"), own);
    const found = probeCgroups(folder);
    return found.kind === "usable" ? found.kind : `${found.kind}: ${found.problem}`;
  };
  assert.equal(probe("", "0::/own\n"), "absent: no cgroup2 file system is mounted");
  assert.equal(probe(folder, "3:cpu:/own\n"), "absent: the service is in no cgroup of version 2");
  assert.equal(probe(folder, "0::/own\n"), "absent: the kernel has no cgroup.kill: it is older than 5.14");
  assert.match(probe(folder, "0::/file\n"), /^failed: ENOTDIR: /);
  assert.match(probe("/sys", "0::/kernel\n"), /^forbidden: (EPERM|EACCES|EROFS): /);
  rmSync(join(folder, "cgroup"));
  assert.match(probeCgroups(folder).kind, /absent|failed/);
});

const [{ skip }] = cgroupModes;
test("cgroups that fail for an unusual reason are logged with it, and jobs run and are killed without cgroups", { skip }, async (t) => {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const mount = mounts.find((line) => line.includes(" - cgroup2 "))?.split(" ")[4] ?? "";
  const cgroup = mkdtempSync(join(mount, "jobrunner-test-"));
  writeFileSync(join(cgroup, "cgroup.max.descendants"), "0");
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-cgroups-"));
  const program = join(folder, "jobrunner");
  const lines = ["#!/bin/sh", `echo $$ > ${cgroup}/cgroup.procs`, `exec ${join(repository, "bin", "jobrunner")} "$@"`];
  writeFileSync(program, lines.join("\n"), { mode: 0o755 });
  const service = await startService(t, { program });
  t.after(() => {
    rmSync(folder, { recursive: true });
    rmdirSync(cgroup);
  });
  assert.match(service.log, /"level":"warn"[^\n]*"problem":"EAGAIN: [^\n]*"no cgroup can be created for jobs"/);
  const id = await service.submit({ CommandLine: "echo ready; sleep 1000" });
  await (await service.attach(id)).until("ready");
  await service.kill(id);
  assert.equal((await service.get(id)).State, "Killed");
});
