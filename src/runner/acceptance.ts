import { commandsOf, type JobSpec } from "../job/spec.ts";
import { type Account, Accounts } from "./accounts.ts";
import type { EngineFinder } from "./containers/finder.ts";
import type { DiskReserve } from "./disk.ts";
import type { SubmitResult } from "./types.ts";

export type Acceptance = { kind: "acceptable"; account: Account | null } | Exclude<SubmitResult, { kind: "accepted" | "conflict" }>;

/** Whether this box can run a job that fits the schema, before it is accepted. */
export class Acceptor {
  readonly #means: { disk: DiskReserve; finder: EngineFinder; accounts: Accounts };

  constructor(means: { disk: DiskReserve; finder: EngineFinder; allowedUsers: string[] }) {
    this.#means = { ...means, accounts: new Accounts(means.allowedUsers) };
  }

  async check(spec: JobSpec): Promise<Acceptance> {
    const { disk, finder, accounts } = this.#means;
    if (!disk.hasRoom()) return { kind: "disk-full" };
    if (commandsOf(spec).some(({ Image }) => Image !== undefined)) {
      const found = await finder.find();
      if (found.kind !== "ready") return { kind: found.kind === "none" ? "no-engine" : "silent-engine", problem: found.problem };
    }
    if (spec.User === undefined) return { kind: "acceptable", account: null };
    const found = await accounts.find(spec.User);
    return found.kind === "found" ? { kind: "acceptable", account: found.account } : { kind: "user-refused", problem: found.problem };
  }
}
