import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ownUser } from "../identity/own-user.ts";

/**
 * Users of this box that jobs may run as. They are looked up by the C library's own programs, which also find the users of a directory
 * service.
 */

export type Account = { uid: number; gid: number; groups: number[]; name: string; home: string; shell: string };

export type AccountResult = { kind: "found"; account: Account } | { kind: "refused"; problem: string };

const run = promisify(execFile);
const freshMs = 5000;

export class Accounts {
  readonly #allowed: string[];
  readonly #known = new Map<string, { result: Promise<AccountResult>; atMs: number }>();

  /** `allowed`: names or numbers. */
  constructor(allowed: string[]) {
    this.#allowed = allowed;
  }

  /** `user`: a name, a number, or number:group. The problem continues a sentence that begins with the user. */
  find(user: string): Promise<AccountResult> {
    const nowMs = performance.now();
    for (const [name, { atMs }] of this.#known) if (nowMs - atMs > freshMs) this.#known.delete(name);
    const known = this.#known.get(user)?.result ?? this.#check(user);
    if (!this.#known.has(user)) this.#known.set(user, { result: known, atMs: nowMs });
    return known;
  }

  async #check(user: string): Promise<AccountResult> {
    if (ownUser.uid !== 0) {
      return refused("needs a service that runs as root, and this one does not: leave it out, then the job runs as the service's user");
    }
    const [id = "", group] = user.split(":");
    const account = await accountOf(id);
    if (account === null) return refused(`is no user of this box: getent passwd ${id} finds none`);
    if (!this.#allowed.includes(account.name) && !this.#allowed.includes(String(account.uid))) {
      return refused(
        `is not a user that jobs may run as: JOBRUNNER_ALLOWED_USERS ${this.#allowed.length === 0 ? "is empty" : "does not name it"}`,
      );
    }
    if (group === undefined) return { kind: "found", account };
    const gid = Number(group);
    // Any other group would give the job rights that the user does not have.
    if (gid !== account.gid && !account.groups.includes(gid)) return refused(`has a group that is not the user's: leave out :${group}`);
    return { kind: "found", account: { ...account, gid, groups: [] } };
  }
}

/** The user's name, or the number if there is no account. */
export async function nameOfUser(uid: number): Promise<string> {
  return (await accountOf(String(uid)))?.name ?? String(uid);
}

function refused(problem: string): AccountResult {
  return { kind: "refused", problem };
}

/** A number without an account gets the group of the same number, and no home. */
async function accountOf(id: string): Promise<Account | null> {
  const isNumber = /^\d+$/.test(id);
  if (isNumber && Number(id) >= noUser) return null;
  const line = await run("getent", ["passwd", id], { env: {} }).then(({ stdout }) => stdout.trim(), missing);
  if (line === null) return isNumber ? { uid: Number(id), gid: Number(id), groups: [], name: id, home: "/", shell: "/bin/sh" } : null;
  const [name = "", , uid, gid, , home = "", shell = ""] = line.split(":"); // passwd(5)
  const { stdout } = await run("id", ["-G", name], { env: {} });
  const groups = stdout.trim().split(/\s+/).map(Number);
  return { uid: Number(uid), gid: Number(gid), groups, name, home: home === "" ? "/" : home, shell: shell === "" ? "/bin/sh" : shell };
}

/** To setresuid(2), -1 means "leave unchanged". */
const noUser = 0xffff_ffff;

/** getent(1) exits with 2 if the key is not found. */
function missing(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === 2) return null;
  throw error;
}
