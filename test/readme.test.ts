import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { Compile } from "typebox/compile";
import { findContradiction } from "../src/job/contradiction.ts";
import { JobSpec } from "../src/job/spec.ts";
import { engineTest } from "./helper/engines.ts";
import { repository, type Service, startService } from "./helper/service.ts";

type Session = { command: string; expected: string };

const pages = globSync(["*.md", "docs/*.md", "packaging/**/*.md", "examples/**/*.md"], { cwd: repository }).toSorted();

/** Pages that need a machine with a container engine. */
const containerSection = /^## Containers\n[^]*?(?=^## )/m;

const operators = "changes an operator's box, or looks at one";

/** Commands in `sh` blocks: the test or CI job that runs them, or why none does. */
const doneElsewhere: Record<string, string> = {
  make: ".ci/run",
  "make run": "test/setup.test.ts",
  "make test": ".ci/run",
  "make -C supervisor test": ".ci/run, as part of make test",
  "node_modules/.bin/node --test test/kill.test.ts": ".ci/run, as part of make test",
  'PATH="$PWD/node_modules/.bin:$PATH" npm run types && PATH="$PWD/node_modules/.bin:$PATH" npm run lint': ".ci/run, as part of make test",
  "JOBRUNNER_PORT=9000 JOBRUNNER_STATE_DIR=~/jobs bin/jobrunner": "test/helper/service.ts, with another port and folder",
  "make install PREFIX=/usr/local && jobrunner --version": "test/setup.test.ts, with another prefix",
  "make install": "test/setup.test.ts, with another prefix",
  "npm install --global ./jobrunner-0.1.0.tgz": "test/package.test.ts, with another prefix",
  "jobrunner doctor": "test/doctor.test.ts",
  "curl -s localhost:8080/healthz": "test/api.test.ts",
  "curl -s 'localhost:8080/jobs?until=2026-01-01T00:00:00Z&state=Succeeded&limit=1000'": "test/api.test.ts, with other values",
  "curl -s -X DELETE localhost:8080/jobs/ID": "test/api.test.ts",
  "useradd --system --create-home --shell /bin/bash jobrunner": operators,
  "systemctl daemon-reload": operators,
  "systemctl enable --now jobrunner": operators,
  "usermod --add-subuids 300000-365535 --add-subgids 300000-365535 jobrunner": operators,
  "loginctl enable-linger jobrunner": operators,
  "unit=$(npm root --global)/jobrunner/packaging/systemd/jobrunner.service": operators,
  'sed "s|/usr/local/bin|$(npm prefix --global)/bin|" "$unit" > /etc/systemd/system/jobrunner.service': operators,
  "sudo -u jobrunner env JOBRUNNER_STATE_DIR=/var/lib/jobrunner jobrunner doctor": operators,
  "journalctl -u jobrunner": operators,
  "du -s STATE_DIR/jobs/* | sort -n | tail": operators,
};

for (const page of pages.filter((name) => blocksOf(textOf(name), "console").length > 0)) {
  test(`every console session in ${page} does what it shows`, async (t) => {
    await show(t, await startService(t), textOf(page).replace(containerSection, ""));
  });
}

engineTest("the README's job of host steps and containers does what it shows", async (t, engine) => {
  const [section = ""] = containerSection.exec(textOf("README.md")) ?? [];
  await show(t, await startService(t, { environment: engine.environment }), section);
});

test("the program in docs/client.md prints what the page shows", async (t) => {
  const service = await startService(t);
  const page = textOf("docs/client.md");
  const [program = ""] = blocksOf(page, "ts");
  const [expected] = blocksOf(page, "text");
  const file = join(folderOf(t), "program.ts");
  writeFileSync(
    file,
    program
      .replace('"jobrunner/client"', JSON.stringify(join(repository, "src", "client", "index.ts")))
      .replace("http://localhost:8080", service.url),
  );
  assert.equal(await execute(process.execPath, [file], dirname(file)), expected);
});

test("every JSON in the pages is valid, and every job in them is accepted", () => {
  const check = Compile(JobSpec);
  for (const page of pages) {
    for (const block of blocksOf(textOf(page), "json")) {
      const value: unknown = JSON.parse(block);
      if (typeof value !== "object" || value === null || !("CommandLine" in value || "Commands" in value)) continue;
      assert.ok(check.Check(value), `${page}: ${block}`);
      assert.equal(findContradiction(value), null, `${page}: ${block}`);
    }
  }
});

test("every command in a page is in a console that a test runs, or is known to be run by another", () => {
  for (const page of pages) {
    for (const line of blocksOf(textOf(page), "sh").join("").split("\n")) {
      const command = line.replace(/\s+#.*$/, "").trim();
      if (command !== "") assert.ok(Object.hasOwn(doneElsewhere, command), `${page}: ${command}`);
    }
  }
});

test("every link in the pages has its target", () => {
  let links = 0;
  for (const page of pages) {
    for (const [, path = ""] of textOf(page).matchAll(/\]\(([^):#]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(repository, dirname(page), path)), `${page} links to ${path}`);
      links += 1;
    }
  }
  assert.ok(links > 20, `${links} links were found`);
});

function textOf(page: string): string {
  return readFileSync(join(repository, page), "utf8");
}

function blocksOf(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))].map(([, block = ""]) => block);
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-readme-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function show(t: TestContext, service: Service, markdown: string): Promise<void> {
  const folder = folderOf(t);
  const sessions = sessionsOf(markdown);
  assert.ok(sessions.length > 0);
  for (const name of ["bin", "examples", "docs"]) symlinkSync(join(repository, name), join(folder, name)); // the commands run in a checkout
  const outputs = await runAll(sessions, { service, folder });
  for (const [index, { command, expected }] of sessions.entries()) assert.match(outputs[index] ?? "", asPattern(expected), command);
}

/** Lines after "$ " are typed, lines after "> " continue them, the others are output; "…" stands for any text. */
function sessionsOf(markdown: string): Session[] {
  const sessions: Session[] = [];
  for (const block of blocksOf(markdown, "console")) {
    for (const line of block.split("\n").slice(0, -1)) {
      const last = sessions.at(-1);
      if (line.startsWith("$ ")) sessions.push({ command: line.slice(2), expected: "" });
      else if (last !== undefined && (line.startsWith("> ") || line === ">")) last.command += `\n${line.slice(2)}`;
      else if (last !== undefined) last.expected += `${line}\n`;
    }
  }
  return sessions;
}

/** Run in one shell, as a reader would type them: variables and files persist. */
async function runAll(sessions: Session[], { service, folder }: { service: Service; folder: string }): Promise<string[]> {
  const mark = "--- next command ---";
  const script = sessions
    .map(({ command }) => `${command.replaceAll("localhost:8080", `localhost:${service.port}`)}\necho; echo '${mark}'`)
    .join("\n");
  writeFileSync(join(folder, ".curlrc"), "silent\nshow-error\n"); // no progress meter, as on a terminal
  const environment = {
    CURL_HOME: folder,
    PATH: `${join(repository, "bin")}:${process.env["PATH"]}`,
    JOBRUNNER_STATE_DIR: service.stateDir,
    JOBRUNNER_URL: service.url,
  };
  return (await execute("bash", ["-c", `exec 2>&1\n${script}`], folder, environment)).split(`\n${mark}\n`);
}

function execute(program: string, args: string[], folder: string, environment: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd: folder, env: { ...process.env, ...environment }, timeout: 60_000 }, (error, stdout) => {
      if (error !== null) reject(error);
      else resolve(stdout);
    });
  });
}

function asPattern(expected: string): RegExp {
  const parts = expected
    .trim()
    .split("…")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^\\s*${parts.join("[^]*")}\\s*$`);
}
