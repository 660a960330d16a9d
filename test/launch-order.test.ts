import { strict as assert } from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Service, startService } from "./helper/service.ts";
import { waitFor } from "./helper/wait.ts";

/** The order of the steps of a submission, observed in the service's system calls (strace(1)). */

const skip = spawnSync("strace", ["-V"]).status === 0 ? false : "strace is not installed";

test("jobs are committed, answered, given to the launcher, and only then logged, those of one turn together", { skip }, async (t) => {
  const service = await startService(t);
  await service.run({ CommandLine: "true" }); // the connection and the log are open afterwards
  const jobs = 12;
  const trace = await Trace.of(t, service);
  const ids = await submitAtOnce(service, jobs);
  const calls = await trace.until((all) =>
    ids.every((id) => all.some((call) => isLog(call) && call.includes(id)) && all.some((call) => isAudit(call) && call.includes(id))),
  );
  const at = (find: (call: string) => boolean): number[] => calls.flatMap((call, index) => (find(call) ? [index] : []));
  const commits = at((call) => call.startsWith("fsync(") || call.startsWith("fdatasync("));
  for (const id of ids) {
    const [answer = NaN] = at((call) => call.includes("HTTP/1.1 200 OK") && call.includes(id));
    const [folder = NaN] = at((call) => call.startsWith("mkdir(") && call.includes(id));
    const [plan = NaN] = at((call) => call.startsWith("rename(") && call.includes(id));
    const [run = NaN] = at((call) => call.includes(`run ${id}`));
    const [log = NaN] = at((call) => isLog(call) && call.includes(id));
    const [audit = NaN] = at((call) => isAudit(call) && call.includes(id));
    assert.ok(
      commits.some((commit) => commit < answer),
      "committed, then answered",
    );
    assert.ok(
      answer < folder && folder < plan && plan < run,
      `answered, then given to the launcher: ${[answer, folder, plan, run].join()}`,
    );
    assert.ok(run < log && run < audit, `given to the launcher, then written down: ${[run, log, audit].join()}`);
    const between = calls.slice(commits.findLast((commit) => commit < answer) ?? 0, answer).slice(1);
    assert.ok(
      between.every((call) => call.includes("HTTP/1.1 200 OK")),
      `nothing is done between a commit and its answers: ${between.join("\n")}`,
    );
  }
  assert.ok(at((call) => call.includes("run ")).length < jobs, "orders of one commit leave in one write");
  assert.ok(at(isAudit).length < jobs, "so do lines of the audit log");
  assert.ok(at((call) => isLog(call) && call.includes("accepted")).length < jobs, "and of the log");
});

test("pending log lines are written when the service ends", async (t) => {
  const service = await startService(t);
  const ids = await submitAtOnce(service, 5);
  await service.stop();
  const audit = readFileSync(join(service.stateDir, "audit.log"), "utf8");
  for (const id of ids) {
    assert.ok(audit.includes(id), "in the audit log");
    assert.ok(service.log.includes(`"job":"${id}"`), "in the log");
  }
  assert.match(audit.trim().split("\n").at(-1) ?? "", /"Event":"stop"/);
});

/** The descriptors of Node's own threads (eventfd(2)). */
function isWakeUp(call: string): boolean {
  return /^write\(\d+, "\\1(\\0){7}", 8\)/.test(call);
}

function isLog(call: string): boolean {
  return call.startsWith("write(2,");
}

function isAudit(call: string): boolean {
  return call.includes('\\"Event\\":');
}

/** Sends the requests on open connections while the service is stopped, so that one turn of its event loop reads them. */
async function submitAtOnce({ port, pid }: Service, count: number): Promise<string[]> {
  const body = JSON.stringify({ CommandLine: "true" });
  const connections = Array.from({ length: count }, () => new Connection(port));
  await Promise.all(connections.map((connection) => connection.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", /\{"IDs":.*\}/)));
  process.kill(pid, "SIGSTOP");
  const answers = connections.map((connection) =>
    connection.ask(`POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`, /\{"ID":"(.+)"\}/),
  );
  await Promise.all(connections.map(({ sent }) => sent));
  process.kill(pid, "SIGCONT");
  const ids = await Promise.all(answers);
  for (const connection of connections) connection.close();
  return ids;
}

class Connection {
  readonly #socket: Socket;
  #answer = "";
  sent: Promise<void> = Promise.resolve();

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1").on("data", (chunk: Buffer) => (this.#answer += chunk.toString()));
  }

  /** The group of the pattern in the answer. */
  async ask(request: string, pattern: RegExp): Promise<string> {
    this.#answer = "";
    const { promise, resolve } = Promise.withResolvers<void>();
    this.sent = promise;
    this.#socket.write(request, () => resolve());
    await waitFor("it is answered", () => pattern.test(this.#answer));
    return pattern.exec(this.#answer)?.[1] ?? "";
  }

  close(): void {
    this.#socket.destroy();
  }
}

class Trace {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** The system calls of the service's event loop, from now on. */
  static async of(t: TestContext, { pid }: Service): Promise<Trace> {
    const folder = mkdtempSync(join(tmpdir(), "jobrunner-trace-"));
    const path = join(folder, "calls");
    const strace = spawn(
      "strace",
      ["-s", "100000", "-o", path, "-e", "trace=fsync,fdatasync,write,writev,mkdir,rename", "-p", String(pid)],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let said = "";
    strace.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    t.after(() => strace.kill("SIGINT"));
    await waitFor("strace is attached", () => {
      assert.equal(strace.exitCode, null, said);
      return said.includes("attached");
    });
    return new Trace(path);
  }

  async until(isEnough: (calls: string[]) => boolean): Promise<string[]> {
    let calls: string[] = [];
    await waitFor("the calls are made", () =>
      isEnough(
        (calls = readFileSync(this.#path, "utf8")
          .split("\n")
          .filter((call) => !isWakeUp(call))),
      ),
    );
    return calls;
  }
}
