import { join } from "node:path";
import { ownUser } from "../identity/own-user.ts";
import { Store } from "../store/store.ts";
import { readInstance } from "./instance.ts";
import { makeDoorbell } from "./local/doorbell.ts";
import { lockStateDir } from "./lock.ts";
import { asStateTrouble, makeStateDir } from "./state-dir.ts";
import { makeWorkspacesFolder } from "./workspaces.ts";

/** The state directory, held by this process alone. */
export type State = {
  stateDir: string;
  store: Store;
  /** The name of this state directory among all. */
  instance: string;
  close(): void;
};

export type StateOptions = {
  stateDir: string;
  allowedUsers: string[];
  /** Hears how many milliseconds each commit of the database took. */
  onCommit: (ms: number) => void;
};

/** Creates and locks the state directory and opens its database. Throws a sentence for people where that is impossible. */
export async function openState(options: StateOptions): Promise<State> {
  makeStateDir(options.stateDir);
  try {
    return await lockAndOpen(options);
  } catch (error) {
    throw asStateTrouble(error, options.stateDir);
  }
}

async function lockAndOpen({ stateDir, allowedUsers, onCommit }: StateOptions): Promise<State> {
  if (allowedUsers.length > 0 && ownUser.uid === 0) makeWorkspacesFolder(stateDir);
  const lock = lockStateDir(stateDir);
  try {
    const doorbell = makeDoorbell(join(stateDir, "doorbell"));
    doorbell.catch(() => undefined); // awaited below, when the database is open
    const store = new Store(join(stateDir, "jobrunner.db"), onCommit);
    await doorbell;
    const instance = readInstance(join(stateDir, "instance"));
    const close = (): void => {
      store.close();
      lock.release();
    };
    return { stateDir, store, instance, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}
