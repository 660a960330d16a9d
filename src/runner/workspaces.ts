import { execFile } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Account } from "./accounts.ts";

/**
 * Where a job's steps start. Of most jobs `work` in the job's directory. That of a job with a User lies beside the state directory, which
 * others do not get into, and `work` is a link to it:
 *
 *     <state>/jobs/<ID>/work  ->  <state>-workspaces/<ID>    of the user, 0700; the folder that it is in lets others through (0711), and is root's
 */

export function workspaceOf(directory: string, account: Account | null): string {
  return account === null ? join(directory, "work") : userWorkspaceOf(directory);
}

export function makeUserWorkspace(directory: string, { uid, gid }: Account): void {
  const path = userWorkspaceOf(directory);
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  chmodSync(dirname(path), 0o711); // whatever the umask
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chownSync(path, uid, gid);
  const link = join(directory, "work");
  if (!existsSync(link)) symlinkSync(path, link);
}

/** Whoever a container's user is, the workspace is theirs too; who is on this box does not get through the folder that it is in. */
export function makeWorkspaceForAll(directory: string): void {
  const path = join(directory, "work");
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o777);
}

/**
 * Its user may have processes that change it meanwhile, so it is removed by a program that does not follow a folder which has become a
 * link (coreutils' rm goes by file descriptors).
 */
export async function removeUserWorkspace(directory: string): Promise<void> {
  const path = userWorkspaceOf(directory);
  if (existsSync(path)) await promisify(execFile)("rm", ["-rf", "--one-file-system", "--", path], { env: {} });
}

function userWorkspaceOf(directory: string): string {
  const jobs = dirname(directory);
  return join(`${dirname(jobs)}-workspaces`, directory.slice(jobs.length + 1));
}
