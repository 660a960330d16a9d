import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { repository, type Service, startService, type StartOptions } from "./service.ts";

/** Services of users other than the one who runs the tests, who must be root. */

export type User = { name: string; uid: number; gid: number };

export function findUser(name: string): User | null {
  const [uid, gid] = ["-u", "-g"].map((flag) => spawnSync("id", [flag, name], { encoding: "utf8" }).stdout.trim());
  return uid === undefined || gid === undefined || uid === "" ? null : { name, uid: Number(uid), gid: Number(gid) };
}

/** A value for `skip` of a test: why the program cannot be run as this user, or false. */
export function cannotBe(user: User | null, name: string): string | false {
  if (process.getuid?.() !== 0) return "only root can become another user";
  if (user === null) return `there is no user ${name}: see .ci/run`;
  const reaches = spawnSync("setpriv", [...become(user), "test", "-x", join(repository, "bin", "jobrunner")]).status === 0;
  return reaches ? false : `the checkout cannot be read by ${name}`;
}

export function become({ uid, gid }: User): string[] {
  return [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
}

/** A service of that user, in a separate folder; `privileges`: setpriv options for its additional privileges. */
export async function startAs(
  t: TestContext,
  user: User,
  environment: Record<string, string>,
  privileges: string[] = [],
): Promise<Service> {
  return await startService(t, optionsAs(t, user, environment, privileges));
}

export function optionsAs(t: TestContext, user: User, environment: Record<string, string>, privileges: string[] = []): StartOptions {
  const folder = folderOf(t, user);
  const program = join(folder, "run");
  writeFileSync(
    program,
    `#!/bin/sh\nexec setpriv ${[...become(user), ...privileges].join(" ")} ${join(repository, "bin", "jobrunner")} "$@"\n`,
  );
  chmodSync(program, 0o755);
  return {
    program,
    environment: { ...environment, HOME: folder, JOBRUNNER_STATE_DIR: join(folder, "state") },
    stateDir: join(folder, "state"),
  };
}

export function folderOf(t: TestContext, { uid, gid }: User): string {
  const folder = mkdtempSync(join(tmpdir(), "jr-"));
  t.after(() => t.after(() => rmSync(folder, { recursive: true, force: true }))); // after the service that uses it
  chmodSync(folder, 0o755);
  chownSync(folder, uid, gid);
  return folder;
}
