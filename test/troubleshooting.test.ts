import { strict as assert } from "node:assert";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { problemCodes } from "../src/api/problems.ts";
import { readConfig } from "../src/config.ts";
import { Reason } from "../src/job/job.ts";
import type { JobSpec } from "../src/job/spec.ts";
import { repository, startService } from "./helper/service.ts";
import { createToken, fromElsewhere } from "./helper/tokens.ts";

const page = readFileSync(join(repository, "docs", "troubleshooting.md"), "utf8");

/** The text between backticks in the message columns; `…` stands for variable text. */
const messages = [...page.matchAll(/^\| .*\n\|---.*\n(?:\| .*\n)+/gm)].flatMap(([table]) => {
  const [titles = [], , ...rows] = table
    .trimEnd()
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()));
  const column = titles.findIndex((title) => title === "it says" || title === "message");
  return rows.flatMap((row) => [...(row[column] ?? "").matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text));
});

const patterns = messages.map(
  (message) =>
    new RegExp(
      message
        .split("…")
        .map((part) => RegExp.escape(part))
        .join(".+?"),
    ),
);

test("the program can print every message on the page", () => {
  const files = globSync(["src/**/*.ts", "supervisor/*.c", "bin/*"], { cwd: repository });
  const program = files.map((file) => readFileSync(join(repository, file), "utf8")).join("\n");
  assert.ok(messages.length > 80);
  for (const message of messages) {
    // The parts before and after a colon may come from different places in the code.
    for (const part of message.split(/…|: /))
      assert.ok(program.includes(part.trim()), `${JSON.stringify(part)} of ${JSON.stringify(message)}`);
  }
});

test("the page has every code of a refusal, every reason of a job, and every warning and error of the log", () => {
  for (const name of [...problemCodes, ...Reason.enum]) assert.ok(page.includes(`\`${name}\``), name);
  let lines = 0;
  for (const file of globSync("src/**/*.ts", { cwd: repository })) {
    for (const [, message = ""] of readFileSync(join(repository, file), "utf8").matchAll(/(?:log\("(?:warn|error)", |#warn\()"([^"]+)"/g)) {
      assert.ok(page.includes(`\`${message}\``), `${file}: ${message}`);
      lines += 1;
    }
  }
  assert.ok(lines > 10, `${lines} lines of the log were found`);
});

test("the page has every mistake in the configuration", () => {
  const wrong: Record<string, string>[] = [
    { JOBRUNNER_PROT: "1" },
    { JOBRUNNER_PORT: "eighty" },
    { JOBRUNNER_CGROUPS: "on" },
    { JOBRUNNER_SOCKET: "relative" },
    { JOBRUNNER_PORT: "none" },
    { JOBRUNNER_HOSTNAME: "0.0.0.0" },
    { JOBRUNNER_TLS_CERT: "/c" },
    { JOBRUNNER_TLS_KEY: "/k" },
    { JOBRUNNER_TLS_CLIENT_CA: "/a", JOBRUNNER_TLS_CLIENT_ROLES: "a=admin" },
    { JOBRUNNER_TLS_CERT: "/c", JOBRUNNER_TLS_KEY: "/k", JOBRUNNER_TLS_CLIENT_CA: "/a" },
    { JOBRUNNER_TLS_CLIENT_ROLES: "a=admin" },
  ];
  for (const environment of wrong) {
    const read = readConfig(environment);
    assert.ok("mistakes" in read, JSON.stringify(environment));
    for (const mistake of read.mistakes) isOnPage(mistake);
  }
});

test("the page has the real messages of jobs and refusals", async (t) => {
  const service = await startService(t);
  const failing: JobSpec[] = [
    { CommandLine: "exit 3" },
    { CommandLine: "kill -SEGV $$" },
    { Commands: [{ Args: ["/no/such/program"] }] },
    { CommandLine: "true", WorkingDir: "/no/such/folder" },
    { CommandLine: "sleep 1000", TimeoutSeconds: 0.1 },
    { CommandLine: "sleep 1000", IdleTimeoutSeconds: 0.1 },
  ];
  for (const spec of failing) isOnPage((await service.run(spec)).job.Message);
  const killed = await service.submit({ CommandLine: "sleep 1000" });
  await service.kill(killed);
  isOnPage((await service.get(killed)).Message);
  const inContainer = await service.call("POST", "/", { body: '{"Commands": [{"Image": "busybox"}]}' });
  isOnPage(JSON.parse(inContainer.text).detail);
  const token = await createToken(service, "mine", "read");
  for (const headers of [fromElsewhere, { Authorization: "Bearer wrong" }, { Authorization: `Bearer ${token}x` }]) {
    const answer = await service.call("GET", "/jobs", { headers });
    assert.equal(answer.status, 401);
    isOnPage(JSON.parse(answer.text).detail);
  }
});

function isOnPage(message: string | null): void {
  assert.ok(message !== null && patterns.some((pattern) => pattern.test(message)), `not on the page: ${message}`);
}
