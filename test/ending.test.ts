import { strict as assert } from "node:assert";
import { test } from "node:test";
import { stateWithCause } from "../src/lib/cause.ts";
import { configuredSize } from "../src/lib/configured-size.ts";
import { exitOf, knownText, tookOf } from "../src/lib/ending.ts";
import { historyOf } from "../src/lib/history.ts";

/** How long jobs took and how they ended, as all tables and pages show it. */

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const nowMs = Date.parse(at(59));

type Run = Parameters<typeof exitOf>[0];
const succeeded: Run = { State: "Succeeded", Reason: null, ExitCode: 0, Signal: null, StartedAt: at(0), EndedAt: at(4) };
const queued: Run = { ...succeeded, State: "Queued", ExitCode: null, StartedAt: null, EndedAt: null };
const running: Run = { ...queued, State: "Running", StartedAt: at(50) };
const notStarted: Run = { ...succeeded, State: "Failed", Reason: "CouldNotStart", ExitCode: null, EndedAt: at(0) };
const lost: Run = { ...running, State: "Lost", Reason: "Reboot" };

test("a duration and an exit are shown, or nothing if there are none, or a question mark if they are unknown", () => {
  const cases: [string, Run, took: string, exit: string][] = [
    ["succeeded", succeeded, "4000", "0"],
    ["failed by a signal", { ...succeeded, State: "Failed", ExitCode: null, Signal: "SIGKILL" }, "4000", "SIGKILL"],
    ["queued", queued, "", ""],
    ["running", running, "9000", ""],
    ["a step that waits", { ...queued, State: "Pending" }, "", ""],
    ["skipped", { ...queued, State: "Skipped" }, "", ""],
    ["could not start", notStarted, "", ""],
    ["no image", { ...notStarted, Reason: "ImagePull" }, "", ""],
    ["killed before it started", { ...queued, State: "Killed", Reason: "Requested", EndedAt: at(3) }, "", ""],
    ["the engine lost it", { ...notStarted, Reason: "EngineError", EndedAt: at(2) }, "2000", "?"],
    ["lost in a reboot", lost, "?", "?"],
    ["lost, and never known to start", { ...lost, StartedAt: null }, "", "?"],
    ["the clock was set back", { ...succeeded, StartedAt: at(30) }, "?", "0"],
  ];
  for (const [what, run, took, exit] of cases) {
    assert.equal(
      knownText(tookOf(run, nowMs), ({ ms }) => String(ms)),
      took,
      what,
    );
    assert.equal(
      knownText(exitOf(run), (value) => value),
      exit,
      what,
    );
  }
});

test("the state has a cause where neither the state nor the exit code says it", () => {
  assert.equal(stateWithCause({ State: "TimedOut", Reason: "IdleTimeout" }), "TimedOut (idle)");
  assert.equal(stateWithCause({ State: "TimedOut", Reason: "Timeout" }), "TimedOut");
  assert.equal(stateWithCause({ State: "Failed", Reason: "ExitCode" }), "Failed");
  assert.equal(stateWithCause({ State: "Lost", Reason: "Reboot" }), "Lost (reboot)");
});

test("a history counts failures, and takes median and worst of the finished runs whose duration is known", () => {
  const took = (seconds: number, State = "Succeeded"): Run => ({ ...succeeded, State, EndedAt: at(seconds) });
  const history = historyOf([running, lost, took(8, "Failed"), took(2), took(3, "Killed"), took(1, "TimedOut")], nowMs);
  assert.deepEqual([history.finishedCount, history.failedCount, history.medianMs, history.worstMs], [5, 3, 2500, 8000]);
  assert.deepEqual(
    history.runs.map(({ part }) => part),
    [1 / 9, 3 / 9, 2 / 9, 8 / 9, 0, 1],
  );
  assert.deepEqual(
    [historyOf([], nowMs), historyOf([queued], nowMs)].map(({ medianMs, worstMs }) => [medianMs, worstMs]),
    [
      [null, null],
      [null, null],
    ],
  );
});

test("a configured size is shown exactly, in the unit in which it is shortest", () => {
  const cases: [number, string][] = [
    [0, "0 bytes"],
    [1, "1 bytes"],
    [1000, "1 kB"],
    [1024, "1 KiB"],
    [16_777_216, "16 MiB"],
    [2_000_000_000, "2 GB"],
    [5_368_709_120, "5 GiB"],
    [1_234_567, "1,234,567 bytes"],
  ];
  for (const [bytes, text] of cases) assert.equal(configuredSize(bytes), text);
});
