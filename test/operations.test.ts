import { strict as assert } from "node:assert";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { AuditLog } from "../src/audit/audit-log.ts";
import { readConfig } from "../src/config.ts";
import { nameOf } from "../src/files/names.ts";
import type { Identity } from "../src/identity/identity.ts";
import type { Role } from "../src/identity/roles.ts";
import { Metrics } from "../src/metrics/metrics.ts";
import { operationAccess, type OperationName } from "../src/operations/access.ts";
import type { Caller } from "../src/operations/audited.ts";
import { Operations } from "../src/operations/operations.ts";
import { Refusal } from "../src/operations/refusal.ts";
import { removalBounds, turnBounds, Turns } from "../src/operations/turns.ts";
import { Runner } from "../src/runner/runner.ts";
import { openState } from "../src/runner/state.ts";
import { repository } from "./helper/service.ts";

const callerOf = (name: string, role: Role): Caller => {
  const identity: Identity = { kind: "token", name, role, owner: `token:${name}`, untilMs: Infinity };
  return { identity, from: "192.0.2.7" };
};
const callers = {
  owner: callerOf("owner", "submit"),
  other: callerOf("other", "submit"),
  reader: callerOf("reader", "read"),
  admin: { ...callerOf("admin", "admin"), identity: { ...callerOf("admin", "admin").identity, owner: null } },
};

/** Operations of the service itself: nothing of a job is in them. */
const ofService: OperationName[] = ["metrics", "box", "findings", "document", "page"];

type Call = (operations: Operations, caller: Caller, id: string) => unknown;

const never = new AbortController().signal;
const query = { idPrefix: null, states: [], labels: [], name: null, text: null, sinceMs: null, untilMs: null, limit: 10, cursor: null };
const page = { after: null, limit: 10, isWanted: () => true };

/** Each operation, as any way in calls it. Removal comes last. */
const calls: Partial<Record<OperationName, Call>> = {
  listRunning: (operations, caller) => operations.listRunning(caller),
  submit: (operations, caller) => operations.submit(caller, { CommandLine: "true" }, null),
  get: (operations, caller, id) => operations.get(caller, id),
  wait: (operations, caller, id) => operations.wait(caller, id, { signal: never, onFound: () => undefined }),
  kill: (operations, caller, id) => operations.kill(caller, id, { force: false, signal: never }),
  list: (operations, caller) => operations.list(caller, query, () => true),
  output: (operations, caller, id) => operations.output(caller, id).job(),
  search: (operations, caller, id) => operations.search(caller, id, { text: "x", isCaseSensitive: false, offset: 0, limit: 1 }, () => true),
  files: (operations, caller, id) => operations.files(caller, id).read([], page, () => undefined),
  events: (operations, caller) => operations.events(caller),
  health: (operations) => operations.health(),
  remove: (operations, caller, id) => operations.remove(caller, id),
};

test("every operation is declared with who may call it, and every declared one is here or of the service itself", () => {
  const methods = Object.getOwnPropertyNames(Operations.prototype).filter((name) => name !== "constructor" && name !== "permit");
  assert.deepEqual([...methods, ...ofService].toSorted(), Object.keys(operationAccess).toSorted());
  assert.deepEqual(Object.keys(calls).toSorted(), methods.toSorted());
});

test("no operation is done for a role that it is not for, or on a job of somebody else, whoever calls it in whatever way", async (t) => {
  const { operations } = await openOperations(t);
  const refusalOf = async (name: OperationName, who: keyof typeof callers, id: string): Promise<string> => {
    try {
      await calls[name]?.(operations, callers[who], id);
      return "done";
    } catch (error) {
      assert.ok(error instanceof Refusal, String(error));
      return error.code;
    }
  };
  const ofJob = new Set<OperationName>(["get", "wait", "kill", "output", "search", "files", "remove"]);
  for (const [name, access] of Object.entries(operationAccess).filter(([name]) => Object.hasOwn(calls, name))) {
    assert.ok(isOperation(name));
    const id = await operations.submit(callers.owner, { CommandLine: "true" }, null);
    await operations.wait(callers.owner, id, { signal: never, onFound: () => undefined });
    const reader = access === "run" ? "role-too-small" : "done";
    assert.equal(await refusalOf(name, "reader", id), reader, `${name} by a reader`);
    assert.equal(await refusalOf(name, "other", id), ofJob.has(name) ? "unknown-job" : "done", `${name} by another submitter`);
    if (ofJob.has(name) && name !== "kill") {
      for (const wrong of ["00000000-0000-7000-8000-000000000000", "../jobs", ""])
        assert.equal(await refusalOf(name, "admin", wrong), "unknown-job", `${name} of ${JSON.stringify(wrong)}`);
    }
    assert.equal(await refusalOf(name, "owner", id), "done", `${name} by its owner`);
    if (name !== "remove") assert.equal(await refusalOf(name, "admin", id), "done", `${name} by an admin`);
  }
});

test("what was done and what failed midway is in the audit log, whoever called it; what was refused before is not", async (t) => {
  const { operations, auditPath } = await openOperations(t);
  const id = await operations.submit(callers.owner, { CommandLine: "true" }, { key: "k", fingerprint: "f" });
  assert.equal(await operations.submit(callers.owner, { CommandLine: "true" }, { key: "k", fingerprint: "f" }), id);
  await assert.rejects(operations.submit(callers.owner, { CommandLine: "false" }, { key: "k", fingerprint: "other" }), Refusal);
  await operations.wait(callers.owner, id, { signal: never, onFound: () => undefined });
  await operations.files(callers.owner, id).makeFolder([nameOf("a")], 0o755);
  await assert.rejects(operations.files(callers.owner, id).remove([nameOf("none")], { isRecursive: false }), Refusal);
  await assert.rejects(operations.remove(callers.other, id), Refusal);
  await operations.remove(callers.owner, id);
  await new Promise((resolve) => setImmediate(resolve));
  const lines = readFileSync(auditPath, "utf8").trim().split("\n");
  const events = lines.map((line) => {
    const { Time: _, ...event }: Record<string, unknown> = JSON.parse(line);
    return event;
  });
  const by = { By: "token:owner", Role: "submit", From: "192.0.2.7" };
  assert.deepEqual(events, [
    { Event: "submit", ...by, Job: id },
    { Event: "submit", ...by, Job: id },
    { Event: "folder made", ...by, Job: id, Path: "a" },
    { Event: "delete", ...by, Job: id },
  ]);
});

function isOperation(name: string): name is OperationName {
  return Object.hasOwn(operationAccess, name);
}

async function openOperations(t: TestContext): Promise<{ operations: Operations; auditPath: string }> {
  const stateDir = mkdtempSync(join(tmpdir(), "jobrunner-operations-"));
  t.after(() => rmSync(stateDir, { recursive: true }));
  const read = readConfig({ JOBRUNNER_STATE_DIR: stateDir, JOBRUNNER_CONTAINER_ENGINE: "none" });
  assert.ok("config" in read);
  const { config } = read;
  const log = (): void => undefined;
  const supervisorPath = join(repository, "build", "jobrunner-supervisor");
  const state = await openState({ ...config, onCommit: log });
  t.after(() => state.close());
  const runner = Runner.open({ ...config, supervisorPath, observer: new Metrics(), log }, state);
  t.after(() => runner.close());
  const audit = new AuditLog({ ...config.audit, stateDir }, log);
  const turns = new Turns(turnBounds);
  const { watchers } = runner;
  const operations = new Operations({ runner, watchers, audit, turns, removals: new Turns(removalBounds), supervisorPath });
  return { operations, auditPath: join(stateDir, "audit.log") };
}
