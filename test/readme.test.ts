import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { engineTest } from "./helper/engines.ts";
import { repository, type Service, startService } from "./helper/service.ts";

type Session = { command: string; expected: string };

/** What only a box with a container engine can show. */
const containerSection = /^## Containers\n[^]*?(?=^## )/m;

test("every console session in the README and docs does what they show", async (t) => {
  const service = await startService(t);
  for (const page of ["README.md", "docs/api.md"]) {
    await show(t, service, readFileSync(join(repository, page), "utf8").replace(containerSection, ""));
  }
});

engineTest("the README's job of host steps and containers does what it shows", async (t, engine) => {
  const [section = ""] = containerSection.exec(readFileSync(join(repository, "README.md"), "utf8")) ?? [];
  await show(t, await startService(t, { environment: engine.environment }), section);
});

test("what the README links to is there", () => {
  for (const [, path = ""] of readFileSync(join(repository, "README.md"), "utf8").matchAll(/\]\(([^):]+)\)/g)) {
    assert.ok(existsSync(join(repository, path)), path);
  }
});

async function show(t: TestContext, service: Service, markdown: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-readme-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const sessions = sessionsOf(markdown);
  assert.ok(sessions.length > 0);
  symlinkSync(join(repository, "bin"), join(folder, "bin")); // a reader is in the checkout
  const outputs = await runAll(sessions, { service, folder });
  for (const [index, { command, expected }] of sessions.entries()) assert.match(outputs[index] ?? "", asPattern(expected), command);
}

/** Lines after "$ " are typed, after "> " typed on, the others shown; "…" stands for anything. */
function sessionsOf(markdown: string): Session[] {
  const sessions: Session[] = [];
  for (const [, block = ""] of markdown.matchAll(/^```console\n([^]*?)^```/gm)) {
    for (const line of block.split("\n").slice(0, -1)) {
      const last = sessions.at(-1);
      if (line.startsWith("$ ")) sessions.push({ command: line.slice(2), expected: "" });
      else if (last !== undefined && (line.startsWith("> ") || line === ">")) last.command += `\n${line.slice(2)}`;
      else if (last !== undefined) last.expected += `${line}\n`;
    }
  }
  return sessions;
}

/** In one shell, as a reader would type them: variables and files stay. */
function runAll(sessions: Session[], { service: { port, stateDir }, folder }: { service: Service; folder: string }): Promise<string[]> {
  const mark = "--- next command ---";
  const script = sessions.map(({ command }) => `${command.replaceAll("localhost:8080", `localhost:${port}`)}\necho; echo '${mark}'`).join("\n");
  return new Promise((resolve, reject) => {
    execFile("bash", ["-c", script], { cwd: folder, env: { ...process.env, JOBRUNNER_STATE_DIR: stateDir }, timeout: 60_000 }, (error, stdout) => {
      if (error !== null) reject(error);
      else resolve(stdout.split(`\n${mark}\n`));
    });
  });
}

function asPattern(expected: string): RegExp {
  const parts = expected.trim().split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^\\s*${parts.join("[^]*")}\\s*$`);
}
