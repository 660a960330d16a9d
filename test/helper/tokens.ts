import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { join } from "node:path";
import type { Role } from "../../src/identity/roles.ts";
import { makeToken } from "../../src/identity/tokens.ts";
import { openDatabase } from "../../src/store/open.ts";
import { TokenTable } from "../../src/store/tokens.ts";
import { repository, type Service } from "./service.ts";

export type Headers = Record<string, string>;

/** Makes a request of this machine look like one of another: without a token it is not trusted. */
export const fromElsewhere: Headers = { "X-Forwarded-For": "192.0.2.1" };

export function bearer(token: string): Headers {
  return { Authorization: `Bearer ${token}` };
}

/** A token, created as the owner of the service does. */
export async function createToken(service: Service, name: string, role: Role): Promise<string> {
  const { code, stdout, stderr } = await jobrunner(service, ["token", "create", name, "--role", role]);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

/** A token that has expired before its creation. */
export function createExpiredToken(service: Service, role: Role): string {
  const database = openDatabase(join(service.stateDir, "jobrunner.db"));
  const { text, stored } = makeToken({ name: "expired", role, expiresAtMs: Date.now() - 1000 });
  new TokenTable(database).insert(stored);
  database.close();
  return text;
}

export type Ended = { code: number | null; stdout: string; stderr: string };

/** The command line as the service's owner uses it. */
export function jobrunner(service: Service, args: string[]): Promise<Ended> {
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], JOBRUNNER_STATE_DIR: service.stateDir };
  return new Promise((resolve) => {
    const child = execFile(join(repository, "bin", "jobrunner"), args, { env, timeout: 20_000 }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}
