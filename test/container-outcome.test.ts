import { strict as assert } from "node:assert";
import { test } from "node:test";
import { type ClientEnd, type ContainerFacts, containerVerdict, mayHaveLostOutput, stoppedExitCode } from "../src/job/container.ts";

/** How a step in a container ended, from what its client and the engine say: also what no engine here can be made to do. */

const ended = (exitCode: number): ClientEnd => ({ exitCode, signal: null });
const bySignal: ClientEnd = { exitCode: null, signal: "SIGKILL" };
const exited = (exitCode: number, isOutOfMemory = false): ContainerFacts => ({ kind: "exited", exitCode, isOutOfMemory, clientSaid: null });
const said = { clientSaid: "the engine's words" };
const running: ContainerFacts = { kind: "running", ...said };
const unknown: ContainerFacts = { kind: "unknown", ...said };
const none: ContainerFacts = { kind: "none", isImageThere: true, ...said };
const noImage: ContainerFacts = { kind: "none", isImageThere: false, ...said };
const neverStarted: ContainerFacts = { kind: "never-started", ...said };

test("a container's end is told as the engine and its client agree on it, and otherwise as not known", () => {
  const cases: [ClientEnd, ContainerFacts, string, number | null][] = [
    [ended(0), exited(0), "Succeeded null", 0],
    [ended(3), exited(3), "Failed ExitCode", 3],
    [ended(125), exited(125), "Failed ExitCode", 125],
    [ended(137), exited(137, true), "Failed OutOfMemory", 137],
    [ended(0), exited(0, true), "Succeeded OutOfMemory", 0],
    [ended(125), exited(0), "Failed EngineError", null], // the engine stopped it, or was away when it ended
    [ended(125), exited(137), "Failed EngineError", null],
    [ended(125), running, "Failed EngineError", null],
    [ended(3), running, "Failed ExitCode", 3], // the engine was asked before it had noted the end
    [bySignal, exited(0), "Failed EngineError", null],
    [bySignal, running, "Failed EngineError", null],
    [bySignal, none, "Failed EngineError", null],
    [ended(125), none, "Failed EngineError", null],
    [ended(125), noImage, "Failed ImagePull", null],
    [ended(0), none, "Failed EngineError", null], // a client that was told to end while it pulled
    [ended(3), none, "Failed ExitCode", 3], // somebody removed it at once
    [ended(127), neverStarted, "Failed CouldNotStart", null],
    [ended(125), neverStarted, "Failed EngineError", null],
    [ended(0), unknown, "Succeeded null", 0], // the engine is gone since; its client had seen the end
    [ended(3), unknown, "Failed ExitCode", 3],
    [ended(127), unknown, "Failed EngineError", null],
  ];
  for (const [client, facts, expected, exitCode] of cases) {
    const verdict = containerVerdict(client, facts);
    assert.deepEqual([`${verdict.State} ${verdict.Reason}`, verdict.ExitCode, verdict.Signal], [expected, exitCode, null], JSON.stringify([client, facts]));
  }
});

test("the last words of an engine's init tell what it could not execute, those of a command do not", () => {
  const reason = (code: number, clientSaid: string): string | null => containerVerdict(ended(code), { kind: "exited", exitCode: code, isOutOfMemory: false, clientSaid }).Reason;
  assert.equal(reason(127, "[FATAL tini (7)] exec a b failed: No such file or directory"), "CouldNotStart");
  assert.equal(reason(1, "ERROR (catatonit:2): failed to exec pid1: Permission denied"), "CouldNotStart");
  assert.equal(reason(127, "sh: [FATAL tini (7)] exec a failed: no"), "ExitCode");
  assert.equal(reason(2, "[FATAL tini (7)] exec a failed: No such file or directory"), "ExitCode");
});

test("a container that was stopped has the exit code that is known, and output is lost only where its client was", () => {
  assert.equal(stoppedExitCode(ended(143), exited(143)), 143);
  assert.equal(stoppedExitCode(bySignal, exited(137)), 137);
  assert.equal(stoppedExitCode(ended(137), running), 137);
  assert.equal(stoppedExitCode(ended(0), running), null, "of one that ran when it was removed, 0 says that the client found it gone");
  for (const facts of [none, neverStarted]) assert.equal(stoppedExitCode(ended(143), facts), null);
  for (const facts of [running, unknown, null]) assert.equal(stoppedExitCode(ended(125), facts), null);
  assert.deepEqual([exited(3), running, unknown].map((facts) => mayHaveLostOutput(bySignal, facts)), [true, true, true]);
  assert.deepEqual([exited(125), exited(3), none].map((facts) => mayHaveLostOutput(ended(125), facts)), [false, true, false]);
  assert.equal(mayHaveLostOutput(ended(3), running), false);
});
