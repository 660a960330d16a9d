import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chownSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Box, isWrapped, type Plan } from "./harness.ts";

/** Which inherited attributes jobs get, and which only the service has. Each service is a launcher, started by a tool of util-linux. */

const isRoot = process.getuid?.() === 0;
const tools = ["setpriv", "chrt", "nice", "choom", "ionice", "setarch", "perl"];
const missing = tools.filter((tool) => spawnSync(tool, ["--version"], { stdio: "ignore" }).status !== 0);
const skip = !isRoot
  ? "left out: needs root, who alone can have more than others"
  : isWrapped
    ? "left out: valgrind is not such a service"
    : missing.length > 0
      ? `left out: not installed: ${missing.join(", ")}`
      : false;
/** Root in a container may lack CAP_SYS_RESOURCE. */
const canProtect = spawnSync("choom", ["-n", "-1", "--", "true"], { stdio: "ignore" }).status === 0;
const protection = canProtect ? ["choom", "-n", "-500", "--"] : [];

const look = [
  "cat /proc/self/oom_score_adj",
  "nice",
  "ionice",
  "chrt -p $BASHPID | sed 's/.*: //' | paste -sd ' '",
  "echo slack $(cat /proc/$BASHPID/timerslack_ns)",
  "echo personality $(cat /proc/self/personality)",
  "setpriv --dump | grep Securebits",
  "grep -E '^Cap(Inh|Amb)' /proc/self/status",
].join("\n");

const usual = [
  "0",
  "0",
  "none: prio 0",
  "SCHED_OTHER 0",
  "slack 50000",
  "personality 00000000",
  "Securebits: [none]",
  "CapInh:\t0000000000000000",
  "CapAmb:\t0000000000000000",
];

/** Starts a launcher with these words. Returns what a step of it prints. */
async function seen(t: TestContext, words: string[], plan: Partial<Plan> = {}, owner = 0): Promise<string[]> {
  const box = new Box();
  t.after(() => box.close());
  chownSync(box.state, owner, owner);
  for (const name of ["jobs", "doorbell"]) chownSync(join(box.state, name), owner, owner);
  box.wrapper = [...words, ...box.wrapper];
  const job = box.prepare({ ...plan, steps: [{ run: look }] });
  for (const path of [job.directory, join(job.directory, "plan")]) chownSync(path, owner, owner);
  box.tell(`run ${job.id}`);
  await job.finished();
  return job.text().trimEnd().split("\n");
}

const slack = (ns: number): string[] => [
  "perl",
  "-e",
  `syscall(${process.arch === "arm64" ? 167 : 157}, 29, ${ns}) and die; exec @ARGV`,
  "--",
]; // prctl(2), PR_SET_TIMERSLACK

test("jobs do not inherit what gives the service precedence or powers, or takes a protection away", { skip }, async (t) => {
  assert.deepEqual(await seen(t, []), usual);
  const powers = [
    "setpriv",
    "--inh-caps=+net_bind_service,+sys_nice",
    "--ambient-caps=+net_bind_service,+sys_nice",
    "--securebits=+no_setuid_fixup",
  ];
  const precedence = [...protection, "nice", "-n", "-5"];
  const hidden = [...slack(1_000_000), "setarch", "-R"];
  assert.deepEqual(await seen(t, [...precedence, "ionice", "-c", "realtime", "-n", "0", ...hidden, ...powers]), usual);
  assert.deepEqual(await seen(t, [...precedence, "ionice", "-c", "best-effort", "-n", "1", ...powers], { secrets: ["hunter22"] }), usual);
  for (const policy of ["--fifo", "--rr"]) assert.deepEqual(await seen(t, ["chrt", policy, "10", ...powers]), usual);
  const asUser = await seen(t, [...precedence, "chrt", "--fifo", "10", ...hidden, ...powers], { user: "54399 54399" }, 54399);
  assert.deepEqual(asUser, usual);
});

test("jobs do not inherit ambient capabilities of an ordinary user's service, such as that for low ports", { skip }, async (t) => {
  const uid = 54398;
  const words = [
    ...protection,
    "setpriv",
    `--reuid=${uid}`,
    `--regid=${uid}`,
    "--clear-groups",
    "--inh-caps=+net_bind_service",
    "--ambient-caps=+net_bind_service",
  ];
  for (const secrets of [[], ["hunter22"]]) assert.deepEqual(await seen(t, words, { secrets }, uid), usual);
});

test("jobs inherit what limits the service", { skip }, async (t) => {
  const modest = await seen(t, [
    "choom",
    "-n",
    "300",
    "--",
    "nice",
    "-n",
    "7",
    "ionice",
    "-c",
    "idle",
    "chrt",
    "--batch",
    "0",
    "setpriv",
    "--securebits=+noroot",
  ]);
  assert.deepEqual(modest.slice(0, 4), ["300", "7", "idle", "SCHED_BATCH 0"]);
  assert.match(modest[6] ?? "", /noroot/);
});

test("jobs have default signals, descriptors and permissions, whatever the service inherited", { skip }, async (t) => {
  const box = new Box();
  t.after(() => box.close());
  const left = [
    "env",
    "--ignore-signal=USR1,PIPE,RTMIN+3",
    "--block-signal=TERM,RTMIN+5",
    "sh",
    "-c",
    'umask 077; exec "$@" 7< /etc/passwd',
    "sh",
  ];
  box.wrapper = [...left, ...box.wrapper];
  const steps = [{ args: ["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"] }, { args: ["ls", "/proc/self/fd"] }, { run: "umask" }];
  const job = await box.run({ steps }).finished();
  assert.equal(job.text(), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0\n1\n2\n3\n0022\n", "the fourth descriptor is ls's own");
});

test(
  "the supervisor keeps the service's protection from the out-of-memory killer",
  { skip: !canProtect && skip === false ? "left out: needs CAP_SYS_RESOURCE" : skip },
  async (t) => {
    const box = new Box();
    t.after(() => box.close());
    box.wrapper = [...protection, ...box.wrapper];
    const job = box.run({ steps: [{ run: "cat /proc/self/oom_score_adj; until test -e go; do sleep 0.01; done" }] });
    await job.printed("0\n");
    assert.equal(readFileSync(`/proc/${job.supervisorPid()}/oom_score_adj`, "latin1"), "-500\n");
    job.order("kill");
    await job.finished();
  },
);
