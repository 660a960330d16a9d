// `node docs/openapi.ts` writes openapi.json beside it: the answer of a service to GET /openapi.json.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

/** The committed form: one line for each value, so that a diff is readable. */
export function layOut(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

async function askService(): Promise<unknown> {
  const stateDir = mkdtempSync(join(tmpdir(), "jobrunner-docs-"));
  const environment = {
    PATH: process.env["PATH"],
    HOME: process.env["HOME"],
    JOBRUNNER_PORT: "0",
    JOBRUNNER_STATE_DIR: stateDir,
    JOBRUNNER_CONTAINER_ENGINE: "none",
  };
  const service = spawn(resolve(import.meta.dirname, "..", "bin", "jobrunner"), { env: environment, stdio: ["ignore", "pipe", "inherit"] });
  try {
    for await (const line of createInterface(service.stdout)) {
      const [, url] = /listens on (\S+)/.exec(line) ?? [];
      if (url !== undefined) return await (await fetch(`${url}/openapi.json`)).json();
    }
    throw new Error("the service ended before it listened");
  } finally {
    service.kill();
    if (service.exitCode === null) await once(service, "exit");
    rmSync(stateDir, { recursive: true });
  }
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, "openapi.json"), layOut(await askService()));
