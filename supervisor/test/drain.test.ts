import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { after, before, test } from "node:test";
import { Box, type Job, processesOf, until } from "./harness.ts";

/** The last output of processes that the steps left behind, at the job's end. */

const longMs = 3_600_000; // longer than any test waits

let box: Box;
before(() => (box = new Box()));
after(() => box.close());

function lines(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`).join("");
}

/** The steps whose output was cut, and why. */
function cuts(job: Job): string[] {
  return job.lines("cut").map(([step, , cause]) => `${step} ${cause}`);
}

/** Waits until the job's step has ended, and the supervisor waits for what it left behind. */
async function draining(job: Job): Promise<void> {
  await until("the end of its last step", () => job.events().includes("end 1"));
}

test("the job's end waits for a filter of a step's output until it has read and written everything", async () => {
  const filters: [filter: string, commands: string, output: string][] = [
    ["sort -n", "seq 2001 -1 1", lines(1, 2001)],
    ['while read -r l; do sleep 0.01; echo "$l"; done', "seq 1 100", lines(1, 100)],
    ['while read -r l; do sleep 0.5; echo "$l"; done', "seq 1 3", lines(1, 3)], // silent for longer than a process without input may be
    ["tee copy", "seq 1 2001", lines(1, 2001)],
    ["grep -v x | sed -n p | (sleep 0.3; cat)", "seq 1 2001", lines(1, 2001)],
    ["perl -ne 'push @l, $_; END { select undef, undef, undef, 0.5; print @l }'", "seq 1 2001", lines(1, 2001)],
  ];
  const jobs = filters.map(([filter, commands, output]) => ({
    output,
    job: box.run({ drainTimeoutMs: longMs, steps: [{ run: `exec > >(${filter})\n${commands}` }] }),
  }));
  const redirected = box.run({ drainTimeoutMs: longMs, steps: [{ run: "exec 2> >(sleep 0.2; tac >&2); seq 1 1000 >&2" }] });
  const named = box.run({
    drainTimeoutMs: longMs,
    steps: [{ run: 'mkfifo fifo; while read -r l; do sleep 0.15; echo "$l"; done < fifo & exec > fifo; seq 1 5' }],
  });
  const filed = box.run({ drainTimeoutMs: longMs, steps: [{ run: "exec > >(sleep 0.2; gzip -c > all.gz); seq 1 100000" }] });
  for (const { job, output } of jobs) {
    await job.finished();
    assert.equal(job.part(1, 1), output);
  }
  await redirected.finished();
  assert.equal(redirected.part(1, 2), lines(1, 1000).split("\n").toReversed().join("\n").slice(1) + "\n");
  await named.finished();
  assert.equal(named.text(), lines(1, 5));
  await filed.finished();
  assert.equal(gunzipSync(readFileSync(join(filed.directory, "work", "all.gz"))).toString(), lines(1, 100_000));
  for (const job of [...jobs.map((entry) => entry.job), redirected, named, filed]) assert.deepEqual(cuts(job), []);
});

test("the job's end also waits for processes of earlier steps, and their output belongs to those steps", async () => {
  const job = await box
    .run({ drainTimeoutMs: longMs, steps: [{ run: "exec > >(sleep 0.3; cat); seq 1 500" }, { run: "echo second" }] })
    .finished();
  assert.deepEqual([job.part(1, 1), job.part(2, 1), cuts(job)], [lines(1, 500), "second\n", []]);
});

test("the job's end does not wait for processes that only wait, and the record does not mention them", async () => {
  const server = "perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1) or die; $s->accept'";
  const left = [
    "sleep 1000 &",
    `${server} &`,
    "exec > >(tee copy) 2>&1; sleep 1000 &", // the filter's input does not end, because the sleep could write to it
    "(sleep 1000 | cat) &",
    "mkfifo fifo; cat < fifo & exec 3> fifo; sleep 1000 &",
  ];
  const jobs = left.map((commands) => box.run({ drainTimeoutMs: longMs, steps: [{ run: `${commands}\nseq 1 100` }] }));
  for (const job of jobs) {
    await job.finished();
    assert.deepEqual([job.text(), cuts(job)], [job.text().length > 0 ? lines(1, 100) : "", []]);
  }
});

test("a process that goes on writing is killed when its time is over, and the record says so", async () => {
  const [writer, reader] = [
    box.run({ drainTimeoutMs: 400, steps: [{ run: "echo first" }, { run: "while :; do echo on; done &" }] }),
    box.run({ drainTimeoutMs: 400, steps: [{ run: "exec 2> >(sleep 1000)" }] }),
  ];
  await Promise.all([writer.finished(), reader.finished()]);
  assert.deepEqual(cuts(writer), ["2 drain"]);
  assert.deepEqual(writer.events(), ["start 1", "end 1", "start 2", "end 2", "cut 2", "done"]);
  assert.deepEqual(cuts(reader), ["1 drain"]);
});

test("a kill ends the wait at once, and is not recorded as a stop, because all steps are finished", async () => {
  for (const order of ["terminate", "kill"]) {
    const job = box.run({
      drainTimeoutMs: longMs,
      steps: [{ run: "exec > >(trap '' TERM; sleep 1000)" }, { run: "exit 0", runOn: "failure" }],
    });
    await draining(job);
    job.order(order);
    await job.finished();
    assert.deepEqual([job.events(), cuts(job)], [["start 1", "end 1", "cut 1", "done"], [`1 ${order}`]]);
    assert.deepEqual(processesOf(job.id), []);
  }
});

test("the job's timeout ends the wait, and is not recorded as a timeout, because all steps are finished", async () => {
  const job = await box.run({ drainTimeoutMs: longMs, timeoutMs: 2000, steps: [{ run: "exec > >(sleep 1000)" }] }).finished();
  assert.deepEqual([job.events(), cuts(job)], [["start 1", "end 1", "cut 1", "done"], ["1 timeout"]]);
});

test("after a kill there is no wait; after a stop, the job waits for what the last steps left behind", async () => {
  const filter = "exec > >(sleep 0.3; cat)";
  const steps = [{ run: "echo ready; sleep 1000" }, { run: `${filter}; echo cleaned`, runOn: "always" as const }];
  const [killed, stopped] = [box.run({ drainTimeoutMs: longMs, steps }), box.run({ drainTimeoutMs: longMs, steps })];
  await Promise.all([killed.printed("ready"), stopped.printed("ready")]);
  killed.order("kill");
  stopped.order("terminate");
  await Promise.all([killed.finished(), stopped.finished()]);
  assert.deepEqual([killed.text(), stopped.text()], ["ready\n", "ready\ncleaned\n"]);
});

test("if the drain time is missing or 0, processes left behind end with the job", async () => {
  for (const drain of [{}, { drainTimeoutMs: 0 }]) {
    const job = await box.run({ ...drain, steps: [{ run: "exec > >(sleep 1000; touch cleaned); echo lost" }] }).finished();
    assert.deepEqual([job.text(), cuts(job), existsSync(join(job.directory, "work", "cleaned"))], ["", [], false]);
  }
});

test("a secret is also masked in the last output", async () => {
  const job = await box
    .run({
      drainTimeoutMs: longMs,
      secrets: ["hunter22"],
      steps: [{ run: "exec > >(while read -r l; do printf hunt; sleep 0.2; echo er22; done; printf hunt); echo 1" }],
    })
    .finished();
  assert.equal(job.text(), "***\nhunt");
});

const hasStrace = spawned("strace");
test("a job that leaves nothing behind does not wait", { skip: hasStrace ? false : "left out: strace is not installed" }, async () => {
  const traced = new Box();
  const trace = join(traced.state, "trace");
  traced.wrapper = ["strace", "-f", "-qqq", "-o", trace, "-e", "trace=ppoll,openat,wait4"];
  const job = await traced.run({ drainTimeoutMs: longMs, steps: [{ run: "echo one; echo two >&2" }] }).finished();
  await traced.closeLauncher();
  const own = readFileSync(trace, "utf8")
    .split("\n")
    .filter((line) => line.startsWith(`${job.supervisorPid()} `));
  assert.deepEqual(
    own.filter((line) => line.includes('"/proc"')),
    [],
  );
  const ended = own.findIndex((line) => /wait4\(.*\) = \d+$/.test(line));
  assert.ok(ended >= 0);
  assert.deepEqual(
    own.slice(ended).filter((line) => line.includes("ppoll")),
    [],
  );
  await traced.close();
});

function spawned(program: string): boolean {
  try {
    execFileSync(program, ["-V"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
