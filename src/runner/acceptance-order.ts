import { randomUUID } from "node:crypto";
import type { Accepted } from "../store/store.ts";

/**
 * Numbers the next job. Its time is the clock's, which may have been set back. Its ID, a UUID of version 7 (RFC 9562, 5.7), always sorts
 * after the last job's ID, so that IDs sort in the order of acceptance. While the clock stands or was set back, the 12 bits after the
 * milliseconds count up, and overflow into the milliseconds (RFC 9562, 6.2, method 1).
 */
export function nextAccepted(last: Accepted | null, nowMs: number): Accepted {
  if (last === null) return { seq: 1, id: idAfter(null, nowMs), submittedAtMs: nowMs, clockTurn: 0 };
  const clockTurn = nowMs < last.submittedAtMs ? last.clockTurn + 1 : last.clockTurn;
  return { seq: last.seq + 1, id: idAfter(last.id, nowMs), submittedAtMs: nowMs, clockTurn };
}

function idAfter(lastId: string | null, nowMs: number): string {
  const byClock = BigInt(nowMs) << 12n;
  const afterLast = lastId === null ? 0n : countOf(lastId) + 1n;
  const digits = (byClock > afterLast ? byClock : afterLast).toString(16).padStart(15, "0");
  const variantAndRandom = randomUUID().slice(18);
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-7${digits.slice(12)}${variantAndRandom}`;
}

/** Milliseconds and counter, without the version digit between them. */
function countOf(id: string): bigint {
  return BigInt(`0x${id.slice(0, 8)}${id.slice(9, 13)}${id.slice(15, 18)}`);
}
