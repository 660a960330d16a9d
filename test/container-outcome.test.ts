import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readlinkSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { OutputWatchers } from "../src/output/watcher.ts";
import { makeStreams } from "../src/runner/containers/files.ts";
import { clientSaid } from "../src/runner/containers/said.ts";
import {
  type ClientEnd,
  type ContainerFacts,
  type ContainerVerdict,
  containerVerdict,
  mayHaveLostOutput,
  provenState,
  stoppedExitCode,
} from "../src/job/container.ts";

/** How a step in a container ended, according to its client and the engine, also cases that no engine here can produce. */

const ended = (exitCode: number): ClientEnd => ({ exitCode, signal: null });
const bySignal: ClientEnd = { exitCode: null, signal: "SIGKILL" };
const exited = (exitCode: number, isOutOfMemory = false): ContainerFacts => ({
  kind: "exited",
  exitCode,
  isOutOfMemory,
  hasRun: false,
  clientSaid: null,
  refusal: null,
});
const said = { hasRun: false, clientSaid: "the engine's words", refusal: null };
const running: ContainerFacts = { kind: "running", ...said };
const unknown: ContainerFacts = { kind: "unknown", ...said };
const none: ContainerFacts = { kind: "none", isImageThere: true, ...said };
const noImage: ContainerFacts = { kind: "none", isImageThere: false, ...said };
const gone: ContainerFacts = { kind: "none", isImageThere: true, ...said, hasRun: true };
const neverStarted: ContainerFacts = { kind: "never-started", ...said };
const unknownRan: ContainerFacts = { ...unknown, hasRun: true };
/** It wrote output, and the engine was killed before it had recorded the start. */
const startNotNoted: ContainerFacts = { ...provenState({ kind: "never-started" }, true), ...said, hasRun: true };

test("a container's end is what the engine and its client agree on, and otherwise unknown", () => {
  const cases: [ClientEnd, ContainerFacts, string, number | null][] = [
    [ended(0), exited(0), "Succeeded null", 0],
    [ended(3), exited(3), "Failed ExitCode", 3],
    [ended(125), exited(125), "Failed ExitCode", 125],
    [ended(137), exited(137, true), "Failed OutOfMemory", 137],
    [ended(0), exited(0, true), "Succeeded OutOfMemory", 0],
    [ended(125), exited(0), "Failed EngineError", null], // the engine stopped it, or was down when it ended
    [ended(125), exited(137), "Failed EngineError", null],
    [ended(125), running, "Failed EngineError", null],
    [ended(3), running, "Failed ExitCode", 3], // the engine was asked before it had recorded the end
    [ended(126), running, "Failed EngineError", null], // Podman could not start it, and reports it as initialized
    [ended(127), { ...running, clientSaid: null }, "Failed ExitCode", 127],
    [ended(126), { ...running, hasRun: true }, "Failed ExitCode", 126],
    [bySignal, exited(0), "Failed EngineError", null],
    [bySignal, running, "Failed EngineError", null],
    [bySignal, none, "Failed EngineError", null],
    [ended(125), none, "Failed EngineError", null],
    [ended(125), noImage, "Failed ImagePull", null],
    [ended(125), gone, "Failed EngineError", null], // it wrote output, and the engine was down from then until its removal
    [ended(0), none, "Failed EngineError", null], // a client that was ended while it pulled
    [ended(3), none, "Failed ExitCode", 3], // somebody removed the container at once
    [ended(127), neverStarted, "Failed EngineError", null], // the init executes the command, not the client
    [ended(126), neverStarted, "Failed EngineError", null],
    [ended(125), neverStarted, "Failed EngineError", null],
    [ended(0), unknown, "Succeeded null", 0], // the engine has gone since; its client had seen the end
    [ended(3), unknown, "Failed ExitCode", 3],
    [ended(127), unknown, "Failed EngineError", null],
    [ended(127), unknownRan, "Failed ExitCode", 127], // a shell that reported a command not found
    [ended(125), unknownRan, "Failed EngineError", null],
    [ended(127), startNotNoted, "Failed ExitCode", 127],
    [ended(125), startNotNoted, "Failed EngineError", null],
  ];
  for (const [client, facts, expected, exitCode] of cases) {
    const verdict = containerVerdict(client, facts);
    assert.deepEqual(
      [`${verdict.State} ${verdict.Reason}`, verdict.ExitCode, verdict.Signal],
      [expected, exitCode, null],
      JSON.stringify([client, facts]),
    );
  }
});

test("a container that wrote output has run, even if its engine does not know of its start", () => {
  assert.deepEqual(provenState({ kind: "never-started" }, false), { kind: "never-started" });
  assert.match(containerVerdict(ended(125), neverStarted).Message ?? "", /^could not start its container: /);
  assert.match(containerVerdict(ended(125), startNotNoted).Message ?? "", /^lost its container/);
  assert.match(containerVerdict(ended(125), unknownRan).Message ?? "", /^lost its container: /);
  assert.deepEqual(
    [neverStarted, startNotNoted].map((facts) => mayHaveLostOutput(ended(125), facts)),
    [false, true],
    "and what it wrote after its client had ended is lost",
  );
});

test("the container's init reports that the command could not be executed, with its exit codes for that", () => {
  const refusal = "x: No such file or directory";
  const verdict = (code: number): ContainerVerdict =>
    containerVerdict(ended(code), { kind: "exited", exitCode: code, isOutOfMemory: false, hasRun: false, clientSaid: null, refusal });
  for (const code of [1, 126, 127])
    assert.deepEqual(
      [verdict(code).Reason, verdict(code).ExitCode, verdict(code).Message],
      ["CouldNotStart", null, `could not start in its container: ${refusal}`],
    );
  assert.equal(verdict(2).Reason, "ExitCode");
});

test("messages outside the command are its init's, and in the output only an engine's init is believed", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "jobrunner-said-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const watchers = new OutputWatchers();
  const refusalOf = async (apart: string): Promise<string | null> => {
    writeFileSync(join(directory, "streams-1.said"), apart);
    return (await clientSaid({ directory, watchers }, 1, { TOKEN: "hidden" })).refusal;
  };
  assert.equal(await refusalOf("pulled\njobrunner-init: a hidden b: Permission denied\n"), "a *** b: Permission denied");
  assert.equal(await refusalOf("exec /sbin/docker-init: argument list too long\n"), "argument list too long");
  truncateSync(join(directory, "streams-1.said"), 3 * 2 ** 30);
  appendFileSync(join(directory, "streams-1.said"), "\njobrunner-init: x: Permission denied\n");
  assert.equal((await clientSaid({ directory, watchers }, 1, {})).refusal, "x: Permission denied", "whatever came before");
  assert.equal(await refusalOf("[FATAL tini (7)] exec a b failed: No such file or directory\n"), null);
  assert.equal(await refusalOf(""), null);
});

test("a stopped container has its known exit code, and output is lost only if its client was lost", () => {
  assert.equal(stoppedExitCode(ended(143), exited(143)), 143);
  assert.equal(stoppedExitCode(bySignal, exited(137)), 137);
  assert.equal(stoppedExitCode(ended(137), running), 137);
  assert.equal(stoppedExitCode(ended(0), running), null, "of one that ran when it was removed, 0 says that the client found it gone");
  for (const facts of [none, neverStarted]) assert.equal(stoppedExitCode(ended(143), facts), null);
  for (const facts of [running, unknown, null]) assert.equal(stoppedExitCode(ended(125), facts), null);
  assert.deepEqual(
    [exited(3), running, unknown].map((facts) => mayHaveLostOutput(bySignal, facts)),
    [true, true, true],
  );
  assert.deepEqual(
    [exited(125), exited(3), none, gone].map((facts) => mayHaveLostOutput(ended(125), facts)),
    [false, true, false, true],
  );
  assert.equal(mayHaveLostOutput(ended(3), running), false);
});

test("the folder of a container's streams is recreated, also while a supervisor has FIFOs in it", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "jobrunner-streams-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const streams = { name: "streams-1", workdir: "/only/in/the/container" };
  makeStreams(directory, streams);
  const fifo = join(directory, "streams-1", "stdout");
  execFileSync("mkfifo", [fifo]);
  const { ino } = statSync(fifo);
  makeStreams(directory, streams);
  assert.equal(statSync(fifo).ino, ino);
  assert.equal(readlinkSync(join(directory, "streams-1", "workdir")), streams.workdir);
});
