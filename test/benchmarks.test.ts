import { strict as assert } from "node:assert";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { withoutBefore } from "../bench/lib/benchmark.ts";
import { buildBefore } from "../bench/lib/builds.ts";
import { cgroupMeter, settled } from "../bench/lib/cpu.ts";
import { writeReport } from "../bench/lib/report.ts";
import { Scope } from "../bench/lib/scope.ts";
import { compare, inTurns } from "../bench/lib/turns.ts";

const show = (value: number): string => `${value} ms`;

test("the CPU time of a contender includes all its descendants, also unreaped ones, and its cgroup is removed", async (t) => {
  const scope = new Scope();
  const meter = cgroupMeter(scope, "test");
  if (meter === null) {
    await scope.close();
    return t.skip("no cgroup v2 can be made here");
  }
  const before = meter.microseconds();
  const work = "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done";
  const marker = join(scope.directory, "done");
  // Forked twice: the shell that works is not a child of a process that the benchmark knows.
  const [program = "", ...args] = meter.enter([
    "/bin/sh",
    "-c",
    `(setsid /bin/sh -c '${work}; times > "$0.new"; mv "$0.new" "$0"' "$0" &)`,
    marker,
  ]);
  execFileSync(program, args, { stdio: "ignore" });
  while (!existsSync(marker)) await settled(meter, 0);
  assert.equal(meter.processes(), 0);
  const [minutes = NaN, seconds = NaN] = (/^(\d+)m([\d.]+)s/.exec(readFileSync(marker, "utf8")) ?? []).slice(1).map(Number);
  // The kernel accounts CPU time in ticks of up to 10 ms.
  assert.ok(meter.microseconds() - before > (minutes * 60 + seconds) * 1e6 - 10_000);
  const [, , , file = ""] = [program, ...args];
  await scope.close();
  assert.equal(existsSync(join(file, "..")), false);
});

test("each contender follows each other one equally often, and starts equally often", async () => {
  const order: string[] = [];
  const contenders = ["a", "b", "c"].map((name) => ({ name, run: async () => await Promise.resolve(order.push(name)) }));
  const results = await inTurns(contenders, { rounds: 6 });
  assert.equal(order.join(""), "abccbabcaacbcabbac");
  assert.deepEqual(
    [...results.values()].map(({ length }) => length),
    [6, 6, 6],
  );
});

test("a comparison is the median of the rounds' ratios, not the ratio of medians", () => {
  const row = compare({ name: "x", ours: [1, 9, 10], peer: [1, 3, 10], show, bound: { atMost: 1 } });
  assert.deepEqual(row, { name: "x", ours: "9 ms", peer: "3 ms", measured: "1.00 (1.00 3.00 1.00)", demanded: "<= 1", verdict: "ok" });
  assert.equal(compare({ name: "x", ours: [1], peer: [2], show, bound: { atLeast: 0.6 } }).verdict, "short");
  assert.equal(compare({ name: "x", ours: [1], peer: [2], show }).verdict, "for information");
});

test("a comparison that lacks the previous build is reported at the top", async () => {
  const scope = new Scope();
  const why = await buildBefore(scope, "no-such-revision", () => undefined);
  await scope.close();
  assert.equal(why, "no-such-revision is neither the folder of a build nor a revision");
  const benchmark = { name: "start", title: "starts", method: "", limitSeconds: 1, run: async () => await Promise.resolve() };
  const report = writeReport([], [{ benchmark, busy: 0, rows: [withoutBefore("start to the first 200", why)], failure: null }]);
  assert.match(report, /What falls short:\n\n- start: start to the first 200: no-such-revision is neither/);
});

test("an unknown benchmark is refused with the names of all", () => {
  const { status, stderr } = spawnSync(process.execPath, ["bench/main.ts", "no-such"], {
    cwd: join(import.meta.dirname, ".."),
    encoding: "utf8",
  });
  assert.equal(status, 2);
  assert.match(stderr, /^unknown benchmark no-such; the benchmarks are: spawn-rate, .*first-byte, start, command-line, many-jobs/);
});
