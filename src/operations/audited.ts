import type { Actor, AuditLog, Change } from "../audit/audit-log.ts";
import { NotAllRemoved } from "../files/workspace-files.ts";
import { type Identity, nameOf } from "../identity/identity.ts";
import { Refusal, type RefusalCode } from "./refusal.ts";

/** Who calls an operation, and from where: an address, "unix", or "command line". */
export type Caller = { identity: Identity; from: string };

export function actorOf({ identity, from }: Caller): Actor {
  return { By: nameOf(identity), Role: identity.role, From: from };
}

/** The operation is refused with these before it changes anything. */
const unchanged = new Set<RefusalCode>([
  "unknown-job",
  "unknown-file",
  "outside-workspace",
  "file-refused",
  "file-of-another-kind",
  "invalid-request",
  "not-finished",
  "too-many-at-once",
]);

/**
 * Does work that changes something, and writes a line into the audit log. Work that failed and may be partly done gets a line too, with the
 * reason and how far it came.
 */
export async function audited<Result>(
  audit: AuditLog,
  caller: Caller,
  { event, work }: { event: Change; work: () => Promise<Result> },
): Promise<Result> {
  try {
    const result = await work();
    audit.write(actorOf(caller), event);
    return result;
  } catch (error) {
    const code = error instanceof Refusal ? error.code : "internal";
    if (!unchanged.has(code)) audit.write(actorOf(caller), { ...event, Failed: code, ...progressOf(error) });
    throw error;
  }
}

function progressOf(error: unknown): { RemovedCount?: number } {
  return error instanceof Refusal && error.cause instanceof NotAllRemoved ? { RemovedCount: error.cause.removedCount } : {};
}
