import { join } from "node:path";
import { ownUser } from "../identity/own-user.ts";
import { Store } from "../store/store.ts";
import { makeDoorbell } from "./doorbell.ts";
import { lockStateDir } from "./lock.ts";
import { LocalRunner, type RunnerOptions } from "./runner.ts";
import { asStateTrouble, makeStateDir } from "./state-dir.ts";
import { makeWorkspacesFolder } from "./workspaces.ts";

/** Opens the state directory and finds every job in it as it is. Throws a sentence for people where that cannot be. */
export async function openRunner(options: RunnerOptions): Promise<LocalRunner> {
  makeStateDir(options.stateDir);
  try {
    return await openIn(options);
  } catch (error) {
    throw asStateTrouble(error, options.stateDir);
  }
}

async function openIn(options: RunnerOptions): Promise<LocalRunner> {
  if (options.allowedUsers.length > 0 && ownUser.uid === 0) makeWorkspacesFolder(options.stateDir);
  const lock = lockStateDir(options.stateDir);
  try {
    const doorbell = makeDoorbell(join(options.stateDir, "doorbell"));
    doorbell.catch(() => undefined); // heard below, where the database is there
    const store = new Store(join(options.stateDir, "jobrunner.db"), (ms) => options.observer.committed(ms));
    await doorbell;
    const runner = new LocalRunner(options, { lock, store });
    runner.recover();
    return runner;
  } catch (error) {
    lock.release();
    throw error;
  }
}
