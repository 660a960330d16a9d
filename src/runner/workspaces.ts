import { randomUUID } from "node:crypto";
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, renameSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ownUser } from "../identity/own-user.ts";
import type { Account } from "./accounts.ts";

/**
 * Where a job's steps start: for most jobs, `work` in the job's directory. The workspace of a job with a User is beside the state
 * directory, which other users cannot enter, and `work` is a link to it:
 *
 *     <state>/jobs/<ID>/work  ->  <state>-workspaces/<ID>    the user's, 0700; the folder around it is root's, 0711
 */

/**
 * `root`: the folder as steps see it, which may not exist yet. `draft` gives a path on the same file system, in a folder that only the
 * service can enter.
 */
export type Workspace = { root: string; draft: () => string };

export function workspaceOf(directory: string, account: Account | null): string {
  return account === null ? join(directory, "work") : userWorkspaceOf(directory);
}

/**
 * The workspace of a job, also of one that was not launched yet. A draft beside a user's workspace gets a name that setUserWorkspaceAside
 * finds.
 */
export function workspaceIn(directory: string): Workspace {
  const ofUser = userWorkspaceOf(directory);
  if (existsSync(ofUser)) return { root: ofUser, draft: () => `${ofUser}.${randomUUID()}` };
  return { root: workspaceOf(directory, null), draft: () => join(directory, `draft-${randomUUID()}`) };
}

/**
 * Creates the folder of all users' workspaces. Root works in this folder, so one that another user could change is refused, with a sentence
 * for people.
 */
export function makeWorkspacesFolder(stateDir: string): void {
  const path = `${stateDir}-workspaces`;
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    mkdirSync(path, { mode: 0o700 });
    chmodSync(path, 0o711); // whatever the umask
  } else if (!found.isDirectory() || found.uid !== ownUser.uid || (found.mode & 0o022) !== 0) {
    throw new Error(
      `${path}, for the workspaces of jobs that run as other users, exists and can be changed by others: ` +
        "remove it, or set JOBRUNNER_STATE_DIR to another directory",
    );
  }
}

export function makeUserWorkspace(directory: string, { uid, gid }: Account): void {
  const path = userWorkspaceOf(directory);
  makeWorkspacesFolder(dirname(dirname(directory)));
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chownSync(path, uid, gid);
  const link = join(directory, "work");
  if (!existsSync(link)) symlinkSync(path, link);
}

/**
 * Any user of a container may write the workspace. Other users of this box cannot reach it, because they cannot enter the folder around it.
 */
export function makeWorkspaceForAll(directory: string): void {
  const path = join(directory, "work");
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o777);
}

/**
 * Renames a user's workspace and returns the folders to remove. Processes of the user may still change the workspace, so its new name is
 * one that nobody can guess, in a folder that nobody can list.
 */
export function setUserWorkspaceAside(directory: string): string[] {
  const path = userWorkspaceOf(directory);
  const [folder, name] = [dirname(path), basename(path)];
  if (existsSync(path)) renameSync(path, `${path}.${randomUUID()}`);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((entry) => entry.startsWith(`${name}.`))
    .map((entry) => join(folder, entry));
}

function userWorkspaceOf(directory: string): string {
  const jobs = dirname(directory);
  return join(`${dirname(jobs)}-workspaces`, directory.slice(jobs.length + 1));
}
