import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { ownUser } from "../identity/own-user.ts";
import { codeOf } from "../lib/error-code.ts";

/**
 * Creates the state directory if it does not exist, and makes sure that nobody else can enter it (0700). Throws a sentence for people if
 * the directory belongs to another user or holds other things, because then its mode must not be changed.
 */
export function makeStateDir(path: string): void {
  try {
    makeOwnFolder(path);
  } catch (error) {
    throw asStateTrouble(error, path);
  }
}

/**
 * Turns an error of the system or the database into a sentence that names the variable. An error without a code is a sentence already and
 * stays as it is.
 */
export function asStateTrouble(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || codeOf(error) === "") return error;
  const remedy = `name a directory that ${ownUser.name} can make and write, on a disk with room`;
  return new Error(`JOBRUNNER_STATE_DIR names ${path}, which cannot be used (${error.message}): ${remedy}`, { cause: error });
}

function makeOwnFolder(path: string): void {
  makeFolder(path);
  const { uid, mode } = statSync(path);
  if (uid !== ownUser.uid)
    throw new Error(
      `the state directory ${path} belongs to another user (uid ${uid}): set JOBRUNNER_STATE_DIR to one of ${ownUser.name}'s own`,
    );
  if ((mode & 0o077) !== 0) {
    const names = readdirSync(path);
    if (names.length > 0 && !names.includes("jobrunner.db")) {
      throw new Error(
        `${path} is open to others and holds other things than a service's state: set JOBRUNNER_STATE_DIR to a directory for it alone`,
      );
    }
    chmodSync(path, 0o700);
    // What others have put there, such as a token, would be taken for ours.
    if ((mode & 0o022) !== 0 && readdirSync(path).length > 0) {
      throw new Error(
        `${path} could be written by others, who may have changed what is in it: set JOBRUNNER_STATE_DIR to another directory`,
      );
    }
  }
  const jobs = join(path, "jobs");
  makeFolder(jobs);
  if (!statSync(jobs).isDirectory())
    throw new Error(`JOBRUNNER_STATE_DIR names ${path}, in which "jobs" is no directory: set it to another directory`);
}

/** Creates a folder with its parents, for this user alone. Node's own `recursive` never returns if /proc is on the way. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!existsSync(path)) throw error; // another start may have created it meanwhile
  }
}
