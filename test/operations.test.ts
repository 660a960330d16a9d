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
import { type Access, type OperationName, operationTable } from "../src/operations/access.ts";
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

const operationNames = Object.keys(operationTable).filter(isOperation);

type Call = (operations: Operations, caller: Caller, id: string) => unknown;

const never = new AbortController().signal;
const query = { idPrefix: null, states: [], labels: [], name: null, text: null, sinceMs: null, untilMs: null, limit: 10, cursor: null };
const page = { after: null, limit: 10, isWanted: () => true };

/** Each operation, called as HTTP routes and others call it. */
const calls: Partial<Record<OperationName, Call>> = {
  listRunning: (operations, caller) => operations.listRunning(caller),
  submit: (operations, caller) => operations.submit(caller, { CommandLine: "true" }, null),
  get: (operations, caller, id) => operations.get(caller, id),
  wait: (operations, caller, id) => operations.wait(caller, id, { signal: never, onFound: () => undefined }),
  kill: (operations, caller, id) => operations.kill(caller, id, { force: false, signal: never }),
  signal: (operations, caller, id) => {
    // Its job is finished here, which is what a caller hears who may send signals.
    assert.throws(
      () => operations.signal(caller, id, "SIGUSR1"),
      (error) => {
        if (!(error instanceof Refusal) || error.code !== "not-running") throw error;
        return true;
      },
    );
  },
  list: (operations, caller) => operations.list(caller, query, () => true),
  output: (operations, caller, id) => operations.output(caller, id).job(),
  search: (operations, caller, id) => operations.search(caller, id, { text: "x", isCaseSensitive: false, offset: 0, limit: 1 }, () => true),
  style: (operations, caller, id) => operations.style(caller, id, { offset: 0, from: 0 }, () => true),
  files: (operations, caller, id) => operations.files(caller, id).read([], page, () => undefined),
  events: (operations, caller) => operations.events(caller),
  health: (operations) => operations.health(),
  remove: (operations, caller, id) => operations.remove(caller, id),
};

/** The result of each caller for an operation that the roles of this access may call, on a job of `owner`. */
const expected: Record<Exclude<Access, "public">, Record<keyof typeof callers, string>> = {
  see: { owner: "done", other: "unknown-job", reader: "done", admin: "done" },
  run: { owner: "done", other: "unknown-job", reader: "role-too-small", admin: "done" },
  admin: { owner: "role-too-small", other: "role-too-small", reader: "role-too-small", admin: "done" },
};

test("every operation on jobs has a line in the table, and every such line has its operation and a call in this test", () => {
  const methods = Object.getOwnPropertyNames(Operations.prototype).filter((name) => name !== "constructor" && name !== "permit");
  const ofService: OperationName[] = ["health"]; // the other operations on the service need no runner
  const declared = operationNames.filter((name) => operationTable[name].about !== "service");
  assert.deepEqual(methods.toSorted(), [...declared, ...ofService].toSorted());
  assert.deepEqual(Object.keys(calls).toSorted(), methods.toSorted());
});

test("operations are refused for a wrong role and for jobs of others, and each looks up its job once", async (t) => {
  const { operations, runner } = await openOperations(t);
  const find = t.mock.method(runner, "find");
  const refusalOf = async (name: OperationName, who: keyof typeof callers, id: string): Promise<string> => {
    try {
      await calls[name]?.(operations, callers[who], id);
      return "done";
    } catch (error) {
      assert.ok(error instanceof Refusal, String(error));
      return error.code;
    }
  };
  let checked = 0;
  for (const name of operationNames.filter((name) => Object.hasOwn(calls, name))) {
    const { access, about } = operationTable[name];
    for (const who of ["reader", "other", "owner", "admin"] as const) {
      const id = await operations.submit(callers.owner, { CommandLine: "true" }, null);
      await operations.wait(callers.owner, id, { signal: never, onFound: () => undefined });
      const roleAllows = access === "public" ? "done" : expected[access][who];
      const wanted = roleAllows === "unknown-job" && about !== "job" ? "done" : roleAllows;
      find.mock.resetCalls();
      assert.equal(await refusalOf(name, who, id), wanted, `${name} by ${who}`);
      assert.equal(find.mock.callCount(), about === "job" && wanted !== "role-too-small" ? 1 : 0, `look-ups of ${name} by ${who}`);
      checked += 1;
      if (about !== "job" || wanted === "role-too-small") continue;
      const unknown = name === "kill" && who === "admin" ? "done" : "unknown-job";
      for (const wrong of ["00000000-0000-7000-8000-000000000000", "../jobs", ""])
        assert.equal(await refusalOf(name, who, wrong), unknown, `${name} of ${JSON.stringify(wrong)} by ${who}`);
    }
  }
  assert.equal(checked, Object.keys(calls).length * 4);
});

test("successful and failed operations are in the audit log, for every caller; refused ones are not", async (t) => {
  const { operations, auditPath } = await openOperations(t);
  const id = await operations.submit(callers.owner, { CommandLine: "true" }, "k");
  assert.equal(await operations.submit(callers.owner, { CommandLine: "true" }, "k"), id);
  await assert.rejects(operations.submit(callers.owner, { CommandLine: "false" }, "k"), Refusal);
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
  return Object.hasOwn(operationTable, name);
}

async function openOperations(t: TestContext): Promise<{ operations: Operations; runner: Runner; auditPath: string }> {
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
  return { operations, runner, auditPath: join(stateDir, "audit.log") };
}
