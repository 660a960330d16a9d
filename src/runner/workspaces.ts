import { randomUUID } from "node:crypto";
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, renameSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ownUser } from "../identity/own-user.ts";
import type { Account } from "./accounts.ts";

/**
 * Where a job's steps start. Of most jobs `work` in the job's directory. That of a job with a User lies beside the state directory, which
 * others do not get into, and `work` is a link to it:
 *
 *     <state>/jobs/<ID>/work  ->  <state>-workspaces/<ID>    of the user, 0700; the folder that it is in lets others through (0711), and is root's
 */

/** `root`: the folder as steps see it, which may not exist yet. `draft` gives a path on the same file system, in a folder that only the service can enter. */
export type Workspace = { root: string; draft: () => string };

export function workspaceOf(directory: string, account: Account | null): string {
  return account === null ? join(directory, "work") : userWorkspaceOf(directory);
}

/** Of a job whose order has been carried out. A draft beside a user's workspace has a name by which setUserWorkspaceAside finds it. */
export function workspaceIn(directory: string): Workspace {
  const ofUser = userWorkspaceOf(directory);
  if (existsSync(ofUser)) return { root: ofUser, draft: () => `${ofUser}.${randomUUID()}` };
  return { root: workspaceOf(directory, null), draft: () => join(directory, `draft-${randomUUID()}`) };
}

/**
 * Makes the folder of all users' workspaces. What is done in it, root does: so one that another could change is refused, with a sentence
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
      `${path}, for the workspaces of jobs that run as other users, is there and can be changed by others: remove it, or set JOBRUNNER_STATE_DIR to another directory`,
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

/** Whoever a container's user is, the workspace is theirs too; who is on this box does not get through the folder that it is in. */
export function makeWorkspaceForAll(directory: string): void {
  const path = join(directory, "work");
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o777);
}

/**
 * What is to be removed of a user's workspace. Its user may have processes that change it meanwhile: so it gets a name that nobody can guess, in a folder
 * that nobody can list.
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
