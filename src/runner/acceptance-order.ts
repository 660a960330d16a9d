import { randomUUID } from "node:crypto";
import type { Accepted } from "../store/store.ts";

/**
 * What tells the next job from all before it. Its time is what the clock says, be that later or earlier than before; its ID, a UUID of version 7
 * (RFC 9562, 5.7), comes after the last one's in any case, so that IDs sort in the order of acceptance. Where the clock has not gone on, the 12 bits
 * behind the milliseconds count, and run over into them (6.2, method 1).
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
  const variantAndChance = randomUUID().slice(18);
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-7${digits.slice(12)}${variantAndChance}`;
}

/** Milliseconds and counter, without the version between them. */
function countOf(id: string): bigint {
  return BigInt(`0x${id.slice(0, 8)}${id.slice(9, 13)}${id.slice(15, 18)}`);
}
